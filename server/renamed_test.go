package server

import (
	"encoding/json"
	"testing"
)

// named asks for an entity and returns its present id, and the one that it was asked for by if that is another.
func (c *caller) named(query string) (id, from string) {
	c.Helper()
	var e struct {
		EntityID    string  `json:"entity_id"`
		RenamedFrom *string `json:"renamed_from"`
	}
	if err := json.Unmarshal(c.get("/api/v1/entities/"+query).want(200).body, &e); err != nil {
		c.Fatal(err)
	}
	if e.RenamedFrom != nil {
		from = *e.RenamedFrom
	}
	return e.EntityID, from
}

func (c *caller) wantNamed(query, wantID, wantFrom string) {
	c.Helper()
	if id, from := c.named(query); id != wantID || from != wantFrom {
		c.Errorf("%s: got %s, renamed from %q, want %s, %q", query, id, from, wantID, wantFrom)
	}
}

// An entity is found by the ids that it had, whoever renamed it, until another has them.
func TestRenamedEntitiesAreFoundByTheirOldIDs(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	push := func(id, entityID string) { c.pushOnly("entities", `[{"id":"`+id+`","entity_id":"`+entityID+`"}]`) }
	push("r1", "light.first")
	push("r1", "light.second")
	push("r1", "light.third")
	c.wantNamed("light.third", "light.third", "")
	c.wantNamed("light.first", "light.third", "light.first")
	c.wantNamed("light.second?fields=entity_id", "light.third", "light.second")

	if _, err := c.shell().Exec(`UPDATE entities SET entity_id = 'light.shell' WHERE entity_id = 'light.third'`); err != nil {
		t.Fatal(err)
	}
	c.wantNamed("light.third", "light.shell", "light.third")
	c.wantNamed("light.first", "light.shell", "light.first")

	push("r2", "light.first")
	c.wantNamed("light.first", "light.first", "")
	push("r2", "light.other")
	c.wantNamed("light.first", "light.other", "light.first") // who had it last
	push("r1", "light.first")
	push("r1", "light.shell")
	c.wantNamed("light.first", "light.shell", "light.first")
	c.get("/api/v1/entities/light.never").want(404)

	if _, err := c.shell().Exec(`DELETE FROM entities`); err != nil {
		t.Fatal(err)
	}
	c.get("/api/v1/entities/light.first").want(404)
}
