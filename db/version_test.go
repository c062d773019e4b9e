package db

import "testing"

func TestTheVersionChangesWithEachCommit(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	version := func() Version {
		t.Helper()
		v, ok := d.Version()
		if !ok {
			t.Fatal("the version cannot be told")
		}
		return v
	}
	seen := map[Version]bool{version(): true}
	for name, commit := range map[string]func(){
		"ours":      func() { mustAddFloors(t, d, "a") },
		"a shell's": func() { shell(t, path, "INSERT INTO floors (floor_id, name) VALUES ('b', 'x');") },
		"any, as the connection that counts them is another": func() {
			d.counter.mu.Lock()
			defer d.counter.mu.Unlock()
			d.counter.rest()
		},
		"of a file that was opened anew": func() {
			d.close(errReopening)
			if err := d.Open(ctx); err != nil {
				t.Fatal(err)
			}
		},
	} {
		commit()
		if v := version(); seen[v] {
			t.Errorf("after a commit, %s, the version is one of before", name)
		} else {
			seen[v] = true
		}
		before := version()
		want(t, "the version without a commit", version(), before)
	}
	d.Close()
	if _, ok := d.Version(); ok {
		t.Error("a closed database has a version")
	}
	if _, ok := inMemory(t).Version(); ok {
		t.Error("a database in memory has a version")
	}
}
