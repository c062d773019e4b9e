package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestTeams(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		`{"nfl":["dal","sf"]}`:            `{"selected_teams":{"nfl":["dal","sf"]}}`,
		" nfl:dal, nhl:vgk,nfl: sf ,,bos": `{"selected_teams":{"nfl":["dal","sf"],"nhl":["vgk"],"teams":["bos"]}}`,
		`{"nfl":"dal"}`:                   "refused", `{"nfl"`: "refused", `{"nfl":[1]}`: "refused",
	} {
		got, err := config{SelectedTeams: text}.teams()
		if err != nil {
			got = "refused"
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// The teams of the environment are taken over once, also if they are changed or deleted later.
func TestTeamsAreTakenOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	has := func(p *process, text string) func() bool {
		return func() bool {
			_, body := p.get(t, "/api/user/preferences")
			return strings.Contains(body, text)
		}
	}
	p := startReady(t, folder, "SELECTED_TEAMS=nfl:dal")
	waitFor(t, p, "taken over", has(p, `"selected_teams":{"nfl":["dal"]}`))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, p.url+"/api/v1/users/default/preferences", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response, err)
	}
	response.Body.Close()
	p.stop(t)
	p = startReady(t, folder, "SELECTED_TEAMS=nfl:sf")
	if _, body := p.get(t, "/api/v1/devices"); !strings.Contains(body, `"count":0`) || !has(p, `"selected_teams":{}`)() {
		t.Errorf("taken over again: %s", body)
	}
	p.stop(t)
}
