package db

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// homeToSearch has what is hard to find: accents, letters of their own, other scripts, and things named alike.
const homeToSearch = `
INSERT INTO floors (floor_id, name, aliases) VALUES ('eg', 'Erdgeschoß', '["Parterre","ground"]');
INSERT INTO areas (area_id, name, floor_id, aliases) VALUES ('salon', 'Salon', 'eg', '["Séjour"]'), ('lodz', 'Łódź', NULL, '[]'), ('strassenseite', 'Straßenseite', NULL, '[]'), ('keting', '客厅', NULL, '[]');
INSERT INTO labels (label_id, name, description) VALUES ('heating', 'Chauffage', 'Tout ce qui chauffe');
INSERT INTO config_entries (entry_id, domain, title) VALUES ('01ABC', 'hue', 'Hue Bridge (192.168.1.7)');
INSERT INTO devices (device_id, name, manufacturer, model, area_id, labels) VALUES ('d1', 'Fenêtre du salon', 'Øresund', 'WSDCGQ11LM', 'salon', '["heating"]'), ('d2', '灯泡', 'Xiaomi', 'Yeelight', 'keting', '[]');
INSERT INTO entities (entity_id, name, has_entity_name, original_name, device_id, aliases, platform) VALUES
  ('binary_sensor.fenetre_salon_2', NULL, 1, 'Contact', 'd1', '["la fenêtre"]', 'zha'),
  ('light.keting', '客厅灯', 0, NULL, 'd2', '[]', 'mqtt'), ('light.salon', 'Salon', 0, NULL, NULL, '[]', 'hue'),
  ('sensor.geoeretek', 'Gőz érték', 0, NULL, NULL, '[]', 'mqtt'), ('sensor.ankara', 'ISI ılık', 0, NULL, NULL, '[]', 'mqtt'),
  ('light.living', '거실등', 0, NULL, NULL, '[]', 'mqtt'), ('light.thai', 'ไฟห้องนอน', 0, NULL, NULL, '[]', 'mqtt'), ('sensor.no', 'Kjøkken Æther þak', 0, NULL, NULL, '[]', 'mqtt');
`

// finds searches everywhere and returns kinds and ids in the order in which they are found.
func finds(t *testing.T, d *DB, text string, kinds ...string) string {
	t.Helper()
	s, ok := NewSearch(text)
	if !ok {
		return "nothing to look for"
	}
	rows, err := d.Find(ctx, Anywhere{Search: s, Kinds: kinds, Limit: 20})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return strings.Join(idsOf(rows, func(r FindAnywhereRow) string { return r.Kind + ":" + r.ID }), " ")
}

func TestSearchFindsWhatPeopleMean(t *testing.T) {
	d := inMemory(t)
	execute(t, d, homeToSearch)
	for text, wanted := range map[string]string{
		"fenetre": "device:d1 entity:binary_sensor.fenetre_salon_2", "FENÊTRE": "device:d1 entity:binary_sensor.fenetre_salon_2",
		"fen sal": "device:d1 entity:binary_sensor.fenetre_salon_2", "salon fenetre contact": "entity:binary_sensor.fenetre_salon_2",
		"lodz": "area:lodz", "łódź": "area:lodz", "LÓDZ": "area:lodz",
		"strasse": "area:strassenseite", "Straße": "area:strassenseite", "erdgeschoss": "floor:eg area:salon", "parterre": "floor:eg",
		"灯": "device:d2 entity:light.keting", "客厅灯": "entity:light.keting", "厅灯": "entity:light.keting", "灯客": "",
		"客厅": "area:keting entity:light.keting device:d2",
		"거실": "entity:light.living", "등": "entity:light.living", "ห้อง": "entity:light.thai",
		"goz ertek": "entity:sensor.geoeretek", "isi ilik": "entity:sensor.ankara", "kjokken aether thak": "entity:sensor.no",
		"sejour": "area:salon", "chauff": "label:heating device:d1", "oresund": "device:d1", "wsdc": "device:d1",
		"192.168.1.7": "config_entry:01ABC", "hue": "config_entry:01ABC", "binary_sensor.fenetre": "entity:binary_sensor.fenetre_salon_2",
		"salon":  "area:salon entity:light.salon device:d1 entity:binary_sensor.fenetre_salon_2",
		"enetre": "", "xyz": "",
	} {
		want(t, "rows with "+text, finds(t, d, text), wanted)
	}
	want(t, "devices alone", finds(t, d, "salon", "device", "label"), "device:d1")
}

// What looks like syntax of FTS5 or SQL is text like any other.
func TestSearchTakesNoSyntax(t *testing.T) {
	d := inMemory(t)
	execute(t, d, homeToSearch)
	for _, text := range []string{
		`salon"`, `"salon`, `'salon'`, "salon*", "^salon", "salon)", "(salon", "+salon", "-salon", "salon;--", "names:salon x", "NEAR(salon 2)",
		"salon AND", "OR salon", "NOT salon", "{names} : salon", "salon\x00", "sal\x00on", "salon\xff", "%salon%", "sal_on", `salon\`, "salon\n\tlight",
	} {
		finds(t, d, text) // without an error
	}
	for _, text := range []string{`"salon"`, "salon*", "(salon)", "^salon", "salon\x00", "salon\xff", "-salon:"} {
		want(t, text, finds(t, d, text, "area"), "area:salon")
	}
	for _, text := range []string{"salon AND", "NOT salon", "NEAR(salon 2)", "names:salon x"} {
		want(t, text, finds(t, d, text, "area"), "")
	}
	for _, text := range []string{"", " ", `"`, "'", "*", "()", "^", "-", "...", "\x00", "\xff", "🙂", "%_"} {
		want(t, text, finds(t, d, text), "nothing to look for")
	}
	finds(t, d, strings.Repeat("a ", 5000))
	finds(t, d, strings.Repeat("灯", 5000))
}

// Every letter of Europe's keyboards is found by its plain one.
func TestSearchFoldsLetters(t *testing.T) {
	for plain, all := range map[string]string{
		"a": "àáâãäåāăąǎȁȃạảấầẩẫậắằẳẵặ", "c": "çćĉċč", "d": "ďđð", "e": "èéêëēĕėęěȅȇẹẻẽếềểễệ", "g": "ĝğġģǧ", "h": "ĥħȟ", "i": "ìíîïĩīĭįıǐịỉ",
		"j": "ĵǰ", "k": "ķǩ", "l": "ĺļľłŀ", "n": "ñńņňŋ", "o": "òóôõöøōŏőǒơọỏốồổỗộớờởỡợ", "r": "ŕŗřȑȓ", "s": "śŝşšșſ", "t": "ţťŧț", "u": "ùúûüũūŭůűųǔưụủứừửữự",
		"w": "ŵ", "y": "ýÿŷỳỵỷỹ", "z": "źżžƶ", "ss": "ß", "ae": "æ", "oe": "œ", "th": "þ", "ij": "ĳ", "α": "άΑ", "ο": "όΟ", "и": "йИ", "fi": "ﬁ", "2": "²",
	} {
		for _, c := range all + strings.ToUpper(all) {
			if got := foldedLines(string(c)); got != plain && !(plain == "l" && got == "l") && c != 'ß' || c == 'ß' && got != "ss" {
				t.Errorf("%c is folded to %q, want %q", c, got, plain)
			}
		}
	}
}

// Whoever writes, and whatever, what is indexed are the words of the rows as they stand.
func TestSearchFollowsWhateverIsWritten(t *testing.T) {
	for seed := range int64(3) {
		d := inMemory(t)
		for i, s := range randomStatements(300+seed, 400) {
			execute(t, d, s)
			if i%7 == 0 {
				wantIndexed(t, d, s)
			}
		}
		wantIndexed(t, d, "the end")
	}
}

func TestSearchFollowsTheShell(t *testing.T) {
	path := fileIn(t)
	opened(t, DefaultConfig(path)).Close()
	if got := shell(t, path, "PRAGMA foreign_keys = OFF;\n"+strings.Join(randomStatements(400, 300), "\n")); got != "" {
		t.Fatal(got)
	}
	wantIndexed(t, opened(t, DefaultConfig(path)), "what the shell wrote")
}

// wantIndexed compares the index with one that is made anew.
func wantIndexed(t *testing.T, d *DB, after string) {
	t.Helper()
	if err := d.Indexed(ctx); err != nil {
		t.Fatal(err)
	}
	const indexed = "SELECT id, names, ids, more FROM search_text ORDER BY id"
	got := rowsOf(t, d.writer, indexed)
	execute(t, d, "INSERT INTO search (search) VALUES ('integrity-check')") // fails where FTS5 has other words than search_text
	execute(t, d, "DELETE FROM search_text; INSERT OR IGNORE INTO search_dirty SELECT k.first + r.key FROM registry_rows AS r JOIN search_kinds AS k ON r.kind IN (k.kind || 's', replace(k.kind, 'y', 'ies'))")
	if err := d.Indexed(ctx); err != nil {
		t.Fatal(err)
	}
	if anew := rowsOf(t, d.writer, indexed); got != anew {
		t.Fatalf("after %s: indexed\n%s\nand made anew\n%s", after, got, anew)
	}
}

// In a large home the best come first, though only some are ranked.
func TestSearchRanksTheBest(t *testing.T) {
	d := inMemory(t)
	var values []string
	for i := range 3 * candidates {
		values = append(values, fmt.Sprintf("('light.e%d', 'Lamp %d of the kitchen')", i, i))
	}
	values = append(values, "('light.x', 'Kitchen lamp')", "('light.y', 'Kitchen')")
	execute(t, d, "INSERT INTO entities (entity_id, name) VALUES "+strings.Join(values, ","))
	execute(t, d, "INSERT INTO areas (area_id, name) VALUES ('k', 'The kitchen')")
	if got := strings.Fields(finds(t, d, "kitchen")); len(got) != 20 || !slices.Equal(got[:3], []string{"entity:light.y", "entity:light.x", "area:k"}) {
		t.Errorf("got %v", got)
	}
}

// Beginnings that are spelled out find what they find as beginnings, in a home with words of all lengths and scripts.
func TestSpellingOutFindsTheSame(t *testing.T) {
	d := inMemory(t)
	execute(t, d, homeToSearch)
	for _, s := range randomStatements(500, 100) {
		execute(t, d, s)
	}
	var values []string
	for i := range 300 {
		values = append(values, fmt.Sprintf("('light.lamp%d', 'Lamp%d of room %d, single%d')", i, i, i%7, i))
	}
	execute(t, d, "INSERT INTO entities (entity_id, name) VALUES "+strings.Join(values, ","))
	if err := d.Indexed(ctx); err != nil {
		t.Fatal(err)
	}
	rows := func(match string) string {
		return rowsOf(t, d.writer, "SELECT rowid FROM search(?1) ORDER BY rowid", match)
	}
	begin := func(text string) string {
		return rowsOf(t, d.writer, "SELECT id FROM search_text WHERE names >= ?1 AND names < ?1 || char(1114111) ORDER BY id", text)
	}
	words := strings.Fields(rowsOf(t, d.writer, "SELECT DISTINCT term FROM search_words"))
	spelled := 0
	for i, word := range words {
		characters := []rune(word)
		for n := range characters {
			for _, text := range []string{string(characters[:n+1]), words[(i*31)%len(words)] + " " + string(characters[:n+1]), string(characters[:n+1]) + "zz"} {
				s, _ := NewSearch(text)
				out, err := d.SpellOut(ctx, s)
				if err != nil {
					t.Fatal(err)
				}
				want(t, "rows with "+text, rows(out.Match()), rows(s.Match()))
				want(t, "names that begin with "+text, begin(s.text()), rows("names : ^ "+anyOf(strings.Fields(s.text()), nil)))
				if out.Match() != s.Match() {
					spelled++
				}
			}
		}
	}
	if spelled < 1000 || len(words) < 200 {
		t.Errorf("%d searches of %d words were spelled out", spelled, len(words))
	}
	long, _ := NewSearch(strings.Repeat("lamp ", 100))
	if long, err := d.SpellOut(ctx, long); err != nil || strings.Count(long.Match(), `"`) > 2*(mostWords+mostEndings+100) {
		t.Errorf("%d words, %v", strings.Count(long.Match(), `"`)/2, err)
	}
}

// What is called so comes first, however many have names that begin so, and then what does, however many have the
// words somewhere: of each kind.
func TestTheBestOfVeryMany(t *testing.T) {
	ctx, d := t.Context(), inMemory(t)
	var devices, entities []string
	for i := range 2 * candidates {
		devices = append(devices, fmt.Sprintf("('a%d','Lamp %d'),('b%d','Old lamp %d')", i, i, i, i))
		entities = append(entities, fmt.Sprintf("('light.a%d','Lamp %d')", i, i))
	}
	execute(t, d, "INSERT INTO devices (device_id, name) VALUES "+strings.Join(devices, ",")+", ('z','Lamp'), ('y','Old lamps')")
	execute(t, d, "INSERT INTO entities (entity_id, name) VALUES "+strings.Join(entities, ",")+", ('light.z','LAMP')")
	for text, best := range map[string][]string{
		"lamp":     {"z", "light.z"},
		"old lamp": {"b0", "b1"},
		"old l":    {"b0", "b1"},
		"lamps":    {"y"},
	} {
		s, _ := NewSearch(text)
		found, err := d.Find(ctx, Anywhere{Search: s, Limit: int64(len(best))})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, f := range found {
			ids = append(ids, f.ID)
		}
		if !slices.Equal(ids, best) {
			t.Errorf("%s: %q, not %q", text, ids, best)
		}
	}
}

// What a search costs follows from what it finds, not from how much there is: no view is read whole, and what has a
// name that begins so is looked up by it.
func TestPlanOfTheSearch(t *testing.T) {
	_, all := planOf(t, inMemory(t), findAnywhere)
	plan := strings.Join(all, "\n")
	if strings.Contains(plan, "_view") || !strings.Contains(plan, "SEARCH b USING COVERING INDEX search_text_by_name (<expr>=? AND names>? AND names<?)") {
		t.Error(plan)
	}
}
