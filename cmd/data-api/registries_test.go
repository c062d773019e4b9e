package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What Home Assistant saves in its folder is served soon after, a folder that comes later included.
func TestFollowsAFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	storage := filepath.Join(folder, ".storage")
	p := startReady(t, folder, "HASS_STORAGE="+storage)
	waitFor(t, p, "health says that there is no folder", func() bool { return p.followed(t).Detail != "" })
	if err := os.Mkdir(storage, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, area := range []string{"attic", "cellar"} {
		writeFile(t, filepath.Join(storage, "new"), `{"version":1,"key":"core.area_registry","data":{"areas":[{"id":"`+area+`","name":"X"}]}}`)
		if err := os.Rename(filepath.Join(storage, "new"), filepath.Join(storage, "core.area_registry")); err != nil {
			t.Fatal(err)
		}
		waitFor(t, p, area+" is served", func() bool {
			return p.status(t, "/api/v1/areas/"+area) == http.StatusOK
		})
	}
	if status := p.status(t, "/api/v1/areas/attic"); status != http.StatusNotFound {
		t.Errorf("what the folder no longer holds: got %d, want 404", status)
	}
	if s := p.followed(t); s.Status != "healthy" || s.AppliedAt == nil || s.Folder != storage {
		t.Errorf("health: %+v", s)
	}
}

// followed is what /health says of the folder.
type followed struct {
	Status, Folder, Detail string
	AppliedAt              *time.Time `json:"applied_at"`
}

func (p *process) followed(t *testing.T) followed {
	t.Helper()
	var health struct {
		Dependencies struct {
			Storage followed `json:"hass_storage"`
		}
	}
	if status, body := p.get(t, "/health"); status != http.StatusOK || json.Unmarshal([]byte(body), &health) != nil {
		t.Errorf("/health: %d %s", status, body)
	}
	return health.Dependencies.Storage
}
