package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A file of states goes into the history, what is too old for it is named, and a second run changes nothing.
func TestImportCommandTakesStates(t *testing.T) {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	inFolder(t, map[string]string{"states.json": fmt.Sprintf(`[
		{"entity_id":"light.a","state":"on","attributes":{"brightness":7},"last_changed":"2020-01-01T00:00:00Z","last_updated":%q},
		{"entity_id":"sensor.a","state":"7","last_updated":%q},
		{"entity_id":"sensor.b","state":"7","last_updated":"2020-01-01T00:00:00Z"}, {"entity_id":"sensor.c","state":[]}]`, now, now)})
	for _, want := range []string{
		"states              3 states   states.json\nThis was a dry run: nothing was stored.\n",
		"states              2 stored       0 duplicate      2 rejected   states.json\n",
		"states              0 stored       2 duplicate      2 rejected   states.json\n",
	} {
		args := []string{"import", "states.json"}
		dry := strings.HasSuffix(want, "stored.\n")
		if dry {
			args = []string{"import", "--dry-run", "states.json"} // which does not see how old they are
		}
		out, errOut, err := call(t, args...)
		if err != nil || errOut != "" || !strings.HasPrefix(out, want) {
			t.Errorf("%v %s\n%s\nwant\n%s", err, errOut, out, want)
		}
		if !dry && (!strings.Contains(out, "  rejected #2 sensor.b time: is older than what is kept, which begins at ") || !strings.Contains(out, "  rejected #3 sensor.c: state must be a string or a number\n")) {
			t.Errorf("%s", out)
		}
	}
	if out, _, err := call(t, "import", demo, filepath.Join(demo, "states.json")); err != nil || !strings.HasPrefix(out, counted(true, false)) || !strings.Contains(out, "states ") {
		t.Errorf("%v: %s", err, out)
	}
	writeFile(t, "broken.json", `[{"entity_id"`)
	if out, _, err := call(t, "import", "broken.json", demo); err == nil || out != "" {
		t.Errorf("%v: %s", err, out)
	}
}
