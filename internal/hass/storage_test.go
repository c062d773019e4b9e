package hass

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"dataapi/db"
)

func TestScratchImport(t *testing.T) {
	for _, home := range []string{"../../testdata/demo-home", "../../../shared/homes/house-2025", "../../../shared/homes/flat-2023", "../../../shared/homes/house-2020", "../../../shared/homes/lab-2026"} {
		d := db.Prepare(db.DefaultConfig(t.TempDir()+"/m.db"), slog.New(slog.DiscardHandler))
		if err := d.Open(context.Background()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			start := time.Now()
			files, err := ReadStorage(home)
			if err != nil {
				t.Fatal(err)
			}
			read := time.Since(start)
			res, err := Import(context.Background(), d, files, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range res {
				t.Logf("%s %s %d/%d/%d rejected %v", home, r.Kind, r.Created, r.Updated, r.Unchanged, r.Rejected)
			}
			t.Log(read, time.Since(start))
		}
		es, err := d.ListEntities(context.Background(), db.ListEntitiesParams{Lim: 3})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", es)
		d.Close()
	}
}
