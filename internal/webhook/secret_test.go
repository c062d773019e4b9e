package webhook

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The vector is the one that the libraries of the specification are tested with.
func TestSignAsPublished(t *testing.T) {
	header := http.Header{}
	m := Message{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Body: `{"test": 2432232314}`}
	if err := sign(header, []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, m, time.Unix(1614265330, 0)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"webhook-id":        "msg_p5jXN8AQM9LWM0D4loKWxJek",
		"webhook-timestamp": "1614265330",
		"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// The vector is the second one of RFC 4231; its key is a secret such as the service before this one had.
func TestSignForEarlierReceivers(t *testing.T) {
	header := http.Header{}
	m := Message{ID: "msg_1", Body: "what do ya want for nothing?"}
	if err := sign(header, []string{"Jefe"}, m, time.Now()); err != nil {
		t.Fatal(err)
	}
	want := "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
	if got := header.Get("X-Webhook-Signature"); got != want {
		t.Errorf("the signature is %q, want %q", got, want)
	}
	verify(t, base64.StdEncoding.EncodeToString([]byte("Jefe")), []byte(m.Body), header)
}

func TestSignWithOldAndNewSecret(t *testing.T) {
	header := http.Header{}
	secrets := []string{NewSecret(), NewSecret()}
	m := Message{ID: "msg_1", Body: `{}`}
	if err := sign(header, secrets, m, time.Now()); err != nil {
		t.Fatal(err)
	}
	for i, secret := range secrets {
		verify(t, secret, []byte(m.Body), header)
		if got := header.Values("X-Webhook-Signature"); len(got) != 2 || got[i] != bodySignature(secret, m.Body) {
			t.Errorf("the signatures of the body are %q, want that of secret %d at %d", got, i, i)
		}
	}
	hook, _ := standardwebhooks.NewWebhook(NewSecret())
	if hook.Verify([]byte(m.Body), header) == nil {
		t.Error("a signature by another secret is good")
	}
}

func verify(t *testing.T, secret string, body []byte, header http.Header) {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = hook.Verify(body, header)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestSignWithoutSecret(t *testing.T) {
	for _, secrets := range [][]string{nil, {""}, {NewSecret(), ""}} {
		if err := sign(http.Header{}, secrets, Message{ID: "msg_1"}, time.Now()); !errors.Is(err, errNoSecret) {
			t.Errorf("signing with %d secrets: %v, want %v", len(secrets), err, errNoSecret)
		}
	}
}

func TestNewSecret(t *testing.T) {
	one, other := NewSecret(), NewSecret()
	if one == other || CheckSecret(one) != nil || CheckSecret(other) != nil {
		t.Errorf("secrets are %q and %q, want two good ones", one, other)
	}
}

func TestCheckSecret(t *testing.T) {
	of := func(bytes int) string {
		return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", bytes)))
	}
	for secret, good := range map[string]bool{
		"whsec_" + of(24):        true,
		"whsec_" + of(64):        true,
		"whsec_" + of(23):        false,
		"whsec_" + of(65):        false,
		of(24):                   false,
		"WHSEC_" + of(24):        false,
		"whsec_":                 false,
		"":                       false,
		"whsec_" + of(24) + "\n": false,
		"whsec_" + strings.Replace(of(25), "aw==", "ax==", 1): false, // bits that belong to no byte
		"whsec_" + of(25) + "=":                               false,
		"whsec_" + strings.Repeat("-", 32):                    false,
		"whsec_" + strings.TrimRight(of(25), "="):             false,
	} {
		if err := CheckSecret(secret); (err == nil) != good {
			t.Errorf("secret %q: %v, want it to be good: %v", secret, err, good)
		}
	}
}
