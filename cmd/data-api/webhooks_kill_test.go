package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dataapi/internal/webhook/webhooktest"
)

// Every webhook gets every change, or every state, in order, though the service is killed -9 again and again, and the receiver, too.
func TestKilledWhileWebhooksAreCalled(t *testing.T) {
	t.Parallel()
	const webhooks, changes = 10, 60
	receiver, err := webhooktest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { receiver.Kill() })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	folder := t.TempDir()
	begin := func() *process { return startReady(t, folder, "WEBHOOK_ALLOW_CIDRS=127.0.0.1") }
	p := begin()
	for n := range webhooks {
		p.register(t, receiver.URL(fmt.Sprint(n)), "device.created")
	}
	for n := range webhooks {
		p.register(t, receiver.URL(fmt.Sprint("states-", n)), "state.changed")
	}
	for change := range changes {
		switch {
		case change == changes/2:
			receiver.Kill()
		case change%30 == 10:
			if err := receiver.Await(ctx, "0", change/2); err != nil { // it is in the midst of it
				t.Fatal(err)
			}
			p.Process.Kill()
			<-p.ended
			p = begin()
		}
		if status, err := p.upsert(ctx, strings.NewReader(deviceList(fmt.Sprintf("d%d", change)))); err != nil || status != http.StatusOK {
			t.Fatal(status, err)
		}
		state := fmt.Sprintf(`[{"entity_id":"sensor.x","state":"d%d","time":%q}]`, change, time.Now().Format(time.RFC3339Nano))
		waitFor(t, p, "taking states", func() bool { return p.post(t, "/api/v1/events", state) == http.StatusOK }) // the history may open later
		if change == changes/2 {
			if err := receiver.Revive(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range webhooks {
		for _, name := range []string{fmt.Sprint(n), fmt.Sprint("states-", n)} {
			if err := receiver.Await(ctx, name, changes); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.stop(t)
	if text := p.output.String(); strings.Contains(text, webhooktest.Secret) {
		t.Error("the secret is in the log")
	}
}

// register registers a webhook for an event.
func (p *process) register(t *testing.T, url, event string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"url": url, "events": []string{event}, "secret": webhooktest.Secret})
	if err != nil {
		t.Fatal(err)
	}
	if status := p.post(t, "/api/v1/webhooks", string(body)); status != http.StatusCreated {
		t.Fatalf("%s: status %d", url, status)
	}
}

// post posts JSON, and returns the status of the answer.
func (p *process) post(t *testing.T, path, body string) int {
	t.Helper()
	response, err := client.Post(p.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
