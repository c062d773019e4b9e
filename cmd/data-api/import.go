package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"dataapi/db"
	"dataapi/internal/hass"
)

// open opens the metadata for a command that needs it at once.
func open(ctx context.Context, c config) (*db.DB, error) {
	d := db.Prepare(c.database(), c.logger(os.Stderr))
	if err := d.Open(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func migrate(ctx context.Context, c config, _ []string, out io.Writer) error {
	d, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer d.Close()
	st := d.Status(ctx)
	_, err = fmt.Fprintf(out, "%s is at %s\n", st.Path, st.Schema)
	return err
}

// importFiles takes registry files over, all of them or, with an error, none.
func importFiles(ctx context.Context, c config, paths []string, out io.Writer) error {
	files, err := hass.ReadStorage(paths...)
	if err != nil {
		return err
	}
	d, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer d.Close()
	imported, err := hass.Import(ctx, d, files, progress(os.Stderr))
	if err != nil {
		return err
	}
	for _, i := range imported {
		fmt.Fprintf(out, "%-15s %5d created  %5d updated  %5d unchanged  %5d rejected   %s\n",
			i.Kind, i.Created, i.Updated, i.Unchanged, rejectedEntries(i.Rejected), i.Path)
		for _, r := range i.Rejected {
			fmt.Fprintf(out, "  rejected %s\n", describe(r))
		}
	}
	return nil
}

// rejectedEntries counts entries, of which each may be rejected for several members.
func rejectedEntries(rejections []hass.Rejection) int {
	entries := map[int]bool{}
	for _, r := range rejections {
		entries[r.Index] = true
	}
	return len(entries)
}

func describe(r hass.Rejection) string {
	id := fmt.Sprintf("#%d", r.Index)
	if r.ID != nil {
		id += " " + *r.ID
	}
	if r.Field != "" {
		id += ": " + r.Field
	}
	return id + " " + r.Reason
}

// progress returns a report that says every two seconds how far a long import has come.
func progress(w io.Writer) func(hass.Storage, int) {
	last := time.Now()
	return func(f hass.Storage, done int) {
		if time.Since(last) >= 2*time.Second {
			last = time.Now()
			fmt.Fprintf(w, "%s: %d of %d\n", f.Kind, done, len(f.Batch))
		}
	}
}
