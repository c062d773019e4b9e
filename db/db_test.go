package db

import (
	"context"
	"testing"
	"log/slog"
)

func TestSmoke(t *testing.T) {
	d := Prepare(DefaultConfig(t.TempDir()+"/x/m.db"), slog.Default())
	if err := d.Open(context.Background()); err != nil { t.Fatal(err) }
	defer d.Close()
	t.Logf("%+v", d.Status(context.Background()))
	es, err := d.ListEntities(context.Background(), ListEntitiesParams{Lim: 10})
	t.Log(es, err)
	m := Prepare(DefaultConfig(Memory), slog.Default())
	if err := m.Open(context.Background()); err != nil { t.Fatal(err) }
	t.Logf("%+v", m.Status(context.Background()))
}
