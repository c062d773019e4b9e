package hass

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rawEntry is an entry as the file has it.
type rawEntry map[string]any

// text is a member, or "" where it is absent or null.
func (e rawEntry) text(member string) string {
	s, _ := e[member].(string)
	return s
}

// rawHome reads a home's files without the code under test.
type rawHome map[Kind][]rawEntry

func readRaw(t *testing.T, folder string) rawHome {
	t.Helper()
	home := rawHome{}
	for kind, place := range map[Kind][]string{
		Floors: {"core.floor_registry", "floors"}, Labels: {"core.label_registry", "labels"}, Areas: {"core.area_registry", "areas"},
		ConfigEntries: {"core.config_entries", "entries"}, Devices: {"core.device_registry", "devices", "child_devices"},
		Entities: {"core.entity_registry", "entities"},
	} {
		text, err := os.ReadFile(filepath.Join(folder, place[0]))
		if err != nil {
			continue // an old home has fewer
		}
		var file struct {
			Data map[string]json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		for _, list := range place[1:] {
			var entries []rawEntry
			if file.Data[list] == nil {
				continue
			}
			if err := json.Unmarshal(file.Data[list], &entries); err != nil {
				t.Fatal(err)
			}
			home[kind] = append(home[kind], entries...)
		}
	}
	return home
}

// idOf is an entry's id, under any of the names that the registries have for it.
func (e rawEntry) idOf(kind Kind) string {
	switch kind {
	case Floors:
		return e.text("floor_id")
	case Labels:
		return e.text("label_id")
	case ConfigEntries:
		return e.text("entry_id")
	case Entities:
		return e.text("entity_id")
	}
	return e.text("id")
}

func (h rawHome) device(id string) rawEntry {
	i := slices.IndexFunc(h[Devices], func(d rawEntry) bool { return d.text("id") == id })
	if id == "" || i < 0 {
		return nil
	}
	return h[Devices][i]
}

// firstOf is the first text that is not empty.
func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// areaOf is the area of an entity or a device that holds in the end: its own, its device's, the parent's.
func (h rawHome) areaOf(e rawEntry) string {
	d := e
	if e.text("entity_id") != "" {
		d = h.device(e.text("device_id"))
	}
	return firstOf(e.text("area_id"), d.text("area_id"), h.device(d.text("parent_device_id")).text("area_id"))
}

// nameOf is the name of an entity by Home Assistant's rule.
func (h rawHome) nameOf(e rawEntry) string {
	_, object, _ := strings.Cut(e.text("entity_id"), ".")
	name := e.text("original_name")
	if own, _ := e["has_entity_name"].(bool); own {
		d := h.device(e.text("device_id"))
		name = strings.Trim(firstOf(d.text("name_by_user"), d.text("name"))+" "+name, " ")
	}
	return firstOf(e.text("name"), name, object)
}

func (h rawHome) floorOf(area string) string {
	for _, a := range h[Areas] {
		if a.text("id") == area {
			return a.text("floor_id")
		}
	}
	return ""
}
