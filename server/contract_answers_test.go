package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"dataapi/internal/hass"
	"dataapi/server"
)

func TestContractOfTheDemoHome(t *testing.T) { holdHome(t, "../testdata/demo-home") }

func TestContractOfRealHomes(t *testing.T) {
	homes := server.RealHomes(t)
	if len(homes) == 0 {
		t.Skipf("there are no real homes in %s; HOMES_DIR can name another folder", server.HomesFolder())
	}
	for _, home := range homes {
		t.Run(filepath.Base(home), func(t *testing.T) { holdHome(t, home) })
	}
}

// list is a list of the API.
type list struct{ noun, path, id, schema string }

var lists = []list{
	{"floors", "/api/v1/floors", "floor_id", "Floor"},
	{"areas", "/api/v1/areas", "area_id", "Area"},
	{"labels", "/api/v1/labels", "label_id", "Label"},
	{"config_entries", "/api/v1/config_entries", "entry_id", "ConfigEntry"},
	{"devices", "/api/v1/devices", "device_id", "Device"},
	{"entities", "/api/v1/entities", "entity_id", "Entity"},
	{"integrations", "/api/integrations", "entry_id", "ConfigEntry"},
	{"devices", "/api/devices", "device_id", "Device"},
	{"entities", "/api/entities", "entity_id", "Entity"},
}

// holdHome holds all answers about a home to the contract.
func holdHome(t *testing.T, folder string) {
	c, api := serve(t, furnished(t, folder)), read(t)
	for _, l := range lists {
		t.Run(l.path, func(t *testing.T) {
			h := listHolder{c.with(t), l, api, nil}
			h.whole()
			h.trimmed()
			h.filtered()
			h.paged()
			h.singles()
		})
	}
	t.Run("home", func(t *testing.T) { c.with(t).holdWhole() })
	t.Run("analytics", func(t *testing.T) { c.with(t).holdAnalytics() })
	t.Run("upserts", func(t *testing.T) { c.with(t).holdUpserts(folder) })
}

type row = map[string]any

// listHolder holds the answers of a list to the contract.
type listHolder struct {
	client
	list
	api  *contract
	rows []row // all there are
}

// members are those of a whole row.
func (h *listHolder) members() []string {
	return sortedKeys(h.api.flat(h.api.Components.Schemas[h.schema]).Properties)
}

// page asks for a page whose rows have just the wanted members.
func (h *listHolder) page(query string, members []string) (rows []row, next string) {
	h.Helper()
	a := h.find(h.path+"?"+query, http.StatusOK)
	text := decode[map[string]json.RawMessage](h.T, a.body)
	rows = decode[[]row](h.T, text[h.noun])
	for _, r := range rows {
		h.sameMembers(query, r, members)
	}
	next, _ = decode[any](h.T, text["next_cursor"]).(string)
	if link := a.header.Get("Link") != ""; link != (next != "") {
		h.Errorf("%s: next_cursor is %q, Link is there: %v", query, next, link)
	}
	return rows, next
}

func (h *listHolder) sameMembers(query string, r row, members []string) {
	h.Helper()
	if got := sortedKeys(r); !slices.Equal(got, slices.Sorted(slices.Values(members))) {
		h.Errorf("%s: got a row with %v, want %v", query, got, members)
	}
}

// whole asks for all rows at once.
func (h *listHolder) whole() {
	h.rows, _ = h.page(fmt.Sprintf("total=true&limit=%d", h.most()), h.members())
}

// most is how many rows a page may have.
func (h *listHolder) most() int {
	return *h.api.Paths[h.path]["get"].parameters("query")["limit"].Schema.Maximum
}

// trimmed asks for each member alone, and for two.
func (h *listHolder) trimmed() {
	for _, name := range h.members() {
		h.page(fmt.Sprintf("fields=%s&limit=%d", name, h.most()), []string{name})
	}
	h.page("total=true&fields=updated_at,"+h.id, []string{h.id, "updated_at"})
}

// filtered asks by each filter for something that is there.
func (h *listHolder) filtered() {
	for name, p := range h.api.Paths[h.path]["get"].parameters("query") {
		if !slices.Contains([]string{"limit", "cursor", "total", "fields", "include"}, name) {
			h.page(name+"="+url.QueryEscape(h.some(p)), h.members())
		}
	}
}

// some is a value of the home for a filter, or the example of the contract.
func (h *listHolder) some(p *parameter) string {
	for _, r := range h.rows {
		switch v := r[p.Name].(type) {
		case string, bool:
			return fmt.Sprint(v)
		}
	}
	if p.Example == nil {
		return "something"
	}
	return form(p.Example)
}

// paged walks through the list in three pages.
func (h *listHolder) paged() {
	limit, query := len(h.rows)/3+1, ""
	var walked []row
	for range 4 {
		rows, next := h.page(fmt.Sprintf("limit=%d%s", limit, query), h.members())
		walked = append(walked, rows...)
		if next == "" {
			break
		}
		query = "&cursor=" + url.QueryEscape(next)
	}
	if !reflect.DeepEqual(walked, h.rows) && len(h.rows) > 0 {
		h.Errorf("%s: got %d rows page by page, want %d", h.path, len(walked), len(h.rows))
	}
}

// singles asks for rows one by one, whole and trimmed, and for one that is not there.
func (h *listHolder) singles() {
	if h.api.Paths[h.path+"/{"+h.id+"}"] == nil {
		return
	}
	h.find(h.path+"/nobody", http.StatusNotFound)
	for i := 0; i < len(h.rows); i += 1 + len(h.rows)/10 {
		path := h.path + "/" + url.PathEscape(h.rows[i][h.id].(string))
		if r := decode[row](h.T, h.find(path, http.StatusOK).body); !reflect.DeepEqual(r, h.rows[i]) {
			h.Errorf("%s: got %v, want %v, as in the list", path, r, h.rows[i])
		}
		trimmed := decode[row](h.T, h.find(path+"?fields=updated_at,"+h.id, http.StatusOK).body)
		h.sameMembers(path, trimmed, []string{h.id, "updated_at"})
	}
}

func (c client) holdAnalytics() {
	for _, base := range []string{"/api/v1/integrations/", "/api/integrations/"} {
		c.find(base+"nobody/analytics", http.StatusNotFound)
		entries := decode[map[string]any](c.T, c.get("/api/v1/config_entries?limit=1000", http.StatusOK).body)
		for _, entry := range entries["config_entries"].([]any) {
			c.find(base+entry.(row)["domain"].(string)+"/analytics", http.StatusOK)
		}
	}
}

// holdUpserts sends what the files hold once more, and deletes it all.
func (c client) holdUpserts(folder string) {
	files, err := hass.ReadStorage(folder)
	if err != nil {
		c.Fatal(err)
	}
	for _, f := range files {
		if f.Kind == hass.Devices || f.Kind == hass.Entities {
			if got := c.upsert(string(f.Kind), f.Batch); got.Upserted != len(f.Batch) || len(got.Rejected) > 0 {
				c.Errorf("%s: got %d upserted, %v rejected, want %d and none", f.Kind, got.Upserted, got.Rejected, len(f.Batch))
			}
		}
	}
	for range 2 {
		c.proper(request{method: http.MethodDelete, target: "/internal/devices/clear"}, http.StatusOK)
	}
	for _, l := range lists {
		c.find(l.path+"?total=true", http.StatusOK)
	}
}
