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

// Every webhook gets every change in order, though the service is killed -9 again and again, and the receiver, too.
func TestKilledWhileWebhooksAreCalled(t *testing.T) {
	t.Parallel()
	const webhooks, changes = 10, 60
	receiver, err := webhooktest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { receiver.Kill() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	folder := t.TempDir()
	begin := func() *process { return startReady(t, folder, "WEBHOOK_ALLOW_CIDRS=127.0.0.1") }
	p := begin()
	for n := range webhooks {
		p.register(t, receiver.URL(fmt.Sprint(n)))
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
		if change == changes/2 {
			if err := receiver.Revive(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range webhooks {
		if err := receiver.Await(ctx, fmt.Sprint(n), changes); err != nil {
			t.Fatal(err)
		}
	}
	p.stop(t)
	if text := p.output.String(); strings.Contains(text, webhooktest.Secret) {
		t.Error("the secret is in the log")
	}
}

// register registers a webhook for new devices.
func (p *process) register(t *testing.T, url string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"url": url, "events": []string{"device.created"}, "secret": webhooktest.Secret})
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Post(p.url+"/api/v1/webhooks", "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		t.Fatalf("%s: status %d", url, response.StatusCode)
	}
}
