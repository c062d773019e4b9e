package db

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestEndingsFollowTheIndex asks for the same beginnings again and again, while words come and go.
func TestEndingsFollowTheIndex(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	check := func(after string) {
		t.Helper()
		for _, beginning := range []string{"lam", "lamp", "lampion3", "nowhere"} {
			for range 2 {
				s, _ := NewSearch(beginning)
				s, err := d.SpellOut(ctx, s)
				now, nowErr := d.beginning(ctx, beginning, mostEndings+1)
				if now == nil {
					now = []string{beginning}
				}
				if err != nil || nowErr != nil || !slices.Equal(s.ends[0], now) {
					t.Errorf("after %s, %s begins %v, %v, and not %v, %v", after, beginning, s.ends, err, now, nowErr)
				}
			}
		}
	}
	check("nothing")
	for i := range 10 {
		mustAddFloors(t, d, fmt.Sprint("lampion", i))
		check("a write of ours")
		shell(t, path, fmt.Sprintf("UPDATE floors SET name = 'Lampshade%d' WHERE floor_id = 'lampion%d';", i, i/2))
		check("a write of others")
		if err := d.Indexed(ctx); err != nil {
			t.Fatal(err)
		}
		check("its words were indexed")
		shell(t, path, "INSERT INTO search (search) VALUES ('rebuild');") // which numbers the parts of the index from 1 again
		check("the index was rebuilt")
	}
	d.close(errReopening)
	if err := d.Open(ctx); err != nil {
		t.Fatal(err)
	}
	check("the file was opened anew")
}

// TestEndingsAreFew holds what is remembered to a number.
func TestEndingsAreFew(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	for i := range 3 * mostBeginnings {
		s, _ := NewSearch(strings.Repeat("x", i%100+3) + fmt.Sprint(i))
		if _, err := d.SpellOut(ctx, s); err != nil {
			t.Fatal(err)
		}
		if n := len(d.endings.words); n == 0 || n > mostBeginnings {
			t.Fatalf("%d are remembered", n)
		}
	}
}
