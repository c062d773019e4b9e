package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// Keys are made, listed and revoked while the service runs, which sees it at once, and without it.
func TestKeysCommand(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	offline := keyOf(t, folder, "--name", "offline", "--scopes", "read,webhooks")
	p := startReady(t, folder, "ENABLE_AUTH=true")
	online := keyOf(t, folder, "--name", "on line", "--scopes", "write:events", "--expires", "90d")
	for key, want := range map[string]int{offline: http.StatusOK, online: http.StatusForbidden} {
		if status := p.asked(t, "/api/v1/devices", key); status != want {
			t.Errorf("%d, want %d", status, want)
		}
	}
	p.adminKey(t, folder)
	_, list := finish(t, folder, nil, "keys", "list")
	if strings.Contains(list, offline) || !regexp.MustCompile(`(?m)^\w{12} +`+offline[:8]+` +read,webhooks +\d{4}-\d\d-\d\d \d\d:\d\dZ +never +never +"offline"$`).MatchString(list) {
		t.Errorf("%s", list)
	}
	ids := regexp.MustCompile(`(?m)^\w{12}\b`).FindAllString(list, -1)
	if len(ids) != 3 {
		t.Fatalf("%s", list)
	}
	if code, out := finish(t, folder, nil, "keys", "revoke", ids[0], "nothing"); code != 1 || !strings.Contains(out, `no key has the id "nothing": nothing was revoked`) {
		t.Errorf("%d: %s", code, out)
	}
	if status := p.asked(t, "/api/v1/devices", offline); status != http.StatusOK {
		t.Errorf("%d", status)
	}
	if code, out := finish(t, folder, nil, append([]string{"keys", "revoke"}, ids...)...); code != 0 || strings.Count(out, " is revoked\n") != 3 {
		t.Errorf("%d: %s", code, out)
	}
	if status := p.asked(t, "/api/v1/devices", offline); status != http.StatusUnauthorized {
		t.Errorf("after it was revoked: %d", status)
	}
	p.stop(t)
}

// keyOf makes a key by the command, whose standard output is the key alone.
func keyOf(t *testing.T, folder string, options ...string) string {
	t.Helper()
	code, out := finish(t, folder, nil, append([]string{"keys", "create"}, options...)...)
	key := regexp.MustCompile(`(?m)^dak_[A-Za-z0-9_-]{43}$`).FindString(out)
	if code != 0 || key == "" {
		t.Fatalf("%d: %s", code, out)
	}
	return key
}

func TestKeysCommandRefuses(t *testing.T) {
	inFolder(t, nil)
	for _, c := range []struct{ args, want string }{
		{"keys create", "--name must be text of 1 to 255 characters"},
		{"keys create --name a --scopes read,root", `--scopes "root" is no scope`},
		{"keys create --name a --expires soon", "--expires must be a duration"},
		{"keys create --name a --expires -1d", "--expires must be a duration"},
	} {
		if out, _, err := call(t, strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.want) || out != "" {
			t.Errorf("%s: %v, %q", c.args, err, out)
		}
	}
	for _, args := range []string{"keys", "keys nonsense", "keys revoke", "keys list x", "keys create x"} {
		if _, errOut, err := call(t, strings.Fields(args)...); err != errUsage || errOut == "" {
			t.Errorf("%s: %v, %s", args, err, errOut)
		}
	}
}

// What the command prints on standard output is the key, so that a script can take it.
func TestKeysCommandPrintsTheKeyAlone(t *testing.T) {
	inFolder(t, nil)
	out, _, err := call(t, "keys", "create", "--name", "a", "--scopes", "admin")
	if err != nil || !regexp.MustCompile(`^dak_[A-Za-z0-9_-]{43}\n$`).MatchString(out) {
		t.Errorf("%q, %v", out, err)
	}
}
