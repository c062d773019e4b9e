package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"dataapi/internal/webhook/webhooktest"
)

// What a webhook is told of a state is what GET /api/v1/events shows of it, to the letter.
func TestStateIsToldAsItIsShown(t *testing.T) {
	t.Parallel()
	bodies := make(chan []byte, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- body
	}))
	t.Cleanup(receiver.Close)
	p := startReady(t, t.TempDir(), "WEBHOOK_ALLOW_CIDRS=127.0.0.1")
	p.register(t, receiver.URL, "state.changed")
	const entity = `[{"entity_id":"sensor.x","platform":"test","unique_id":"1","id":"r1","original_device_class":"power"}]`
	if status := p.post(t, "/internal/entities/bulk_upsert", entity); status != http.StatusOK {
		t.Fatal(status)
	}
	for n := range 3 {
		state := fmt.Sprintf(`[{"entity_id":"sensor.x","state":"%d","time":%q,"attributes":{"n":%d},"context":"c%d"}]`, n, time.Now().Format(time.RFC3339Nano), n, n)
		waitFor(t, p, "taking states", func() bool { return p.post(t, "/api/v1/events", state) == http.StatusOK })
		var told struct{ Data json.RawMessage }
		select {
		case body := <-bodies:
			if err := json.Unmarshal(body, &told); err != nil {
				t.Fatal(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("nothing came: %s", p.output.String())
		}
		response, err := client.Get(p.url + "/api/v1/events?limit=1")
		if err != nil {
			t.Fatal(err)
		}
		shown, err := io.ReadAll(response.Body)
		response.Body.Close()
		if want := bytes.Trim(shown, "[]\n"); err != nil || !bytes.Equal(told.Data, want) || !bytes.Contains(want, []byte(`"device_class":"power"`)) {
			t.Errorf("told %s\nshown %s %v", told.Data, want, err)
		}
	}
	p.stop(t)
	if bytes.Contains([]byte(p.output.String()), []byte(webhooktest.Secret)) {
		t.Error("the secret is in the log")
	}
}
