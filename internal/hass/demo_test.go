package hass

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dataapi/db"
)

// openDemo opens a database with the demo home in it.
func openDemo(t *testing.T) *db.DB {
	t.Helper()
	d := openMemory(t)
	importAll(t, d, demoHome)
	return d
}

func deviceOf(t *testing.T, d *db.DB, id string) db.Device {
	t.Helper()
	dev, err := d.GetDevice(t.Context(), id)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return dev
}

func entityOf(t *testing.T, d *db.DB, id string) db.Entity {
	t.Helper()
	row, err := d.GetEntity(t.Context(), id)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return row.Entity
}

// The devices that README.md of the demo home names, with the area and the maker that hold in the end.
func TestDemoDevices(t *testing.T) {
	const relay = "45a1c8823e2ea4dd1f62eb2a99abd2ff"
	d := openDemo(t)
	for _, c := range []struct{ id, want string }{
		{relay, `area waschkuche, by Shelly, parent <null>`},
		{"29f33bac8c7a23ab28d3772df7f468ff", `area garazh, by Shelly, parent ` + relay},
		{"cc42bf6181cd868c5ca6e257463d7d7d", `area waschkuche, by Shelly, parent ` + relay},
		{"d272eb93faa6aa79aa46796315d152fa", `area waschkuche, by Shelly, parent ` + relay},
		{"3383566358453eebe9b5c606533a42c7", `area waschkuche, by Shelly, parent ` + relay},
		{"31a61d3f2a42590dfd3a814137614af8", `area <null>, by IKEA of Sweden, parent <null>`},
	} {
		dev := deviceOf(t, d, c.id)
		got := fmt.Sprintf("area %s, by %s, parent %s", deref(dev.AreaID), dev.Manufacturer, deref(dev.ParentDeviceID))
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.id, got, c.want)
		}
	}
}

func TestDemoDeviceNames(t *testing.T) {
	d := openDemo(t)
	radio := deviceOf(t, d, "6247dd421c043f65e3543d143ab9b8ad")
	if radio.Name != "Küchenradio" || deref(radio.OriginalName) != "Sonos One" || deref(radio.NameByUser) != "Küchenradio" {
		t.Errorf("the radio is %q, was %s", radio.Name, deref(radio.OriginalName))
	}
	unnamed := deviceOf(t, d, "5cd3b621602a12635ad0bdceb59e64ac")
	if unnamed.OriginalName != nil || unnamed.Name != unnamed.DeviceID {
		t.Errorf("the device without a name and model is %q", unnamed.Name)
	}
}

func TestDemoDisabledDevices(t *testing.T) {
	d := openDemo(t)
	for id, by := range map[string]string{"4df2b6ad4437c8bf73ea392a0a3efaf8": "user", "855c3228935133cbc095bf152fbce951": "config_entry"} {
		if dev := deviceOf(t, d, id); !dev.Disabled || deref(dev.DisabledBy) != by || dev.EntityCount == 0 {
			t.Errorf("%s is disabled by %s, want %s", id, deref(dev.DisabledBy), by)
		}
		for _, e := range entitiesOf(t, d) {
			if deref(e.DeviceID) == id && !e.Disabled {
				t.Errorf("%s is not disabled, but its device is", e.EntityID)
			}
		}
	}
}

// Devices that were split, and one that was reached by another which is in no file.
func TestDemoLinksOfDevices(t *testing.T) {
	d := openDemo(t)
	for _, id := range []string{"763626711b7b36ed8a7f23971b063f7a", "c9b001fd51710c2dc89de5f68e5ea18a"} {
		if dev := deviceOf(t, d, id); deref(dev.CompositeDeviceID) != "8f070ae06b659723edd88e57c554e029" || dev.SplitAt == nil {
			t.Errorf("%s was %s until %s", id, deref(dev.CompositeDeviceID), deref(dev.SplitAt))
		}
	}
	if via := deviceOf(t, d, "1dba36780c84110dfba348e4b44748ea").ViaDeviceID; via == nil {
		t.Error("a via_device_id that is in no file was dropped")
	} else if _, err := d.GetDevice(t.Context(), *via); err == nil {
		t.Errorf("%s is there, but in no file", *via)
	}
}

// The entities that README.md of the demo home names.
func TestDemoEntities(t *testing.T) {
	d := openDemo(t)
	for _, c := range []struct{ id, want string }{
		{"sensor.strombezug", "renamed"},
		{"sensor.alte_wetterstation_temperature", "orphan"}, {"switch.verlorene_steckdose", "orphan"}, {"media_player.alter_fernseher", "no entry"},
		{"sensor.warmepumpe_outside_temperature", "elsewhere"}, {"light.garazhnye_vorota_lamp", "elsewhere"}, {"switch.kanal_4", "elsewhere"},
		{"binary_sensor.wetterstation_rain", "elsewhere"},
		{"light.kuche_decke", "named"}, {"light.ke_ting_deng", "named"}, {"switch.kaffeemaschine", "named"}, {"binary_sensor.haustur_opening", "named"},
		{"light.kuche", "hidden by user"}, {"sensor.wandtablet_steps", "hidden by user"},
		{"light.kuche_theke", "hidden by integration"}, {"light.salon_lampara", "hidden by integration"},
		{"sensor.lazienka_klimat_battery", "disabled by user"}, {"switch.altavoz_loudness", "disabled by user"},
	} {
		if e := entityOf(t, d, c.id); !special(t, d, e, c.want) {
			t.Errorf("%s is not as README.md says (%s): %+v", c.id, c.want, e)
		}
	}
	for _, gone := range []string{"light.nachtlicht", "remote.old_tv", "sensor.stromzahler_total_energy_in"} {
		if _, err := d.GetEntity(t.Context(), gone); err == nil {
			t.Errorf("%s is deleted or renamed, and there", gone)
		}
	}
	if aliases := entityOf(t, d, "light.kuche_decke").Aliases; aliases == "[]" {
		t.Error("light.kuche_decke has no aliases")
	}
}

func special(t *testing.T, d *db.DB, e db.Entity, what string) bool {
	t.Helper()
	verb, by, _ := strings.Cut(what, " by ")
	switch verb {
	case "orphan":
		_, err := d.GetDevice(t.Context(), deref(e.DeviceID))
		return e.DeviceID != nil && err != nil && e.AreaID == e.OwnAreaID
	case "no entry":
		_, err := d.GetConfigEntry(t.Context(), deref(e.ConfigEntryID))
		return e.ConfigEntryID != nil && err != nil
	case "elsewhere":
		return e.OwnAreaID != nil && deref(e.AreaID) == *e.OwnAreaID && deref(deviceOf(t, d, *e.DeviceID).AreaID) != *e.OwnAreaID
	case "named":
		return e.NameByUser != nil && e.Name == *e.NameByUser
	case "hidden":
		return deref(e.HiddenBy) == by
	case "disabled":
		return e.Disabled && deref(e.DisabledBy) == by
	}
	return e.PreviousUniqueID != nil && e.RegistryID != nil
}

// Areas, floors and labels of the demo home: names in many scripts, and what belongs to them.
func TestDemoAreasFloorsAndLabels(t *testing.T) {
	d := openDemo(t)
	kitchen, err := d.GetArea(t.Context(), "kitchen")
	if err != nil || kitchen.Name != "Küche" || deref(kitchen.FloorName) != "Rez-de-chaussée" || kitchen.Aliases != `["Cuisine","Kitchen"]` || kitchen.DeviceCount == 0 {
		t.Errorf("kitchen: %+v, %v", kitchen, err)
	}
	street, err := d.GetArea(t.Context(), "strassenseite")
	if err != nil || street.FloorID != nil || street.Labels != `["aussen"]` {
		t.Errorf("strassenseite: %+v, %v", street, err)
	}
	home := readRaw(t, demoHome)
	for _, raw := range home[Labels] {
		l, err := d.GetLabel(t.Context(), raw.text("label_id"))
		if err != nil || l.Name != raw.text("name") {
			t.Errorf("label %q, %v; want %q", l.Name, err, raw.text("name"))
		}
		for kind, got := range map[Kind]int64{Areas: l.AreaCount, Devices: l.DeviceCount, Entities: l.EntityCount} {
			if want := home.labelled(kind, l.LabelID); got != want {
				t.Errorf("%s is on %d %s, want %d", l.LabelID, got, kind, want)
			}
		}
	}
	cellar, err := d.GetFloor(t.Context(), "cellar")
	if err != nil || cellar.Level == nil || *cellar.Level != -1 || cellar.AreaCount != 2 {
		t.Errorf("cellar: %+v, %v", cellar, err)
	}
}

func (h rawHome) labelled(kind Kind, label string) (n int64) {
	for _, e := range h[kind] {
		labels, _ := e["labels"].([]any)
		for _, l := range labels {
			if l == label {
				n++
			}
		}
	}
	return n
}

// Categories refer to a registry that is not part of the home, and are kept.
func TestDemoCategories(t *testing.T) {
	n := 0
	for _, e := range entitiesOf(t, openDemo(t)) {
		if e.Domain == "automation" && e.Categories != "{}" {
			n++
		}
	}
	if n == 0 {
		t.Error("no automation has a category")
	}
}

// The demo home is what its generator writes.
func TestDemoHomeIsGenerated(t *testing.T) {
	generator, err := filepath.Abs(filepath.Join(demoHome, "generate.go"))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	fresh := filepath.Join(root, "testdata", "demo-home")
	if err := os.MkdirAll(fresh, 0o700); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), "go", "run", generator)
	run.Dir = root
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	files, err := os.ReadDir(fresh)
	if err != nil || len(files) != len(storageFiles)+1 { // and states.json
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		want, err := os.ReadFile(filepath.Join(fresh, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(demoHome, f.Name())); err != nil || string(got) != string(want) {
			t.Errorf("%s is not what generate.go writes (%v): run go run testdata/demo-home/generate.go", f.Name(), err)
		}
	}
	committed, err := os.ReadDir(demoHome)
	if err != nil || len(committed) != len(files)+2 { // and generate.go and README.md
		t.Errorf("%d files are there, the generator makes %d, %v", len(committed), len(files), err)
	}
}
