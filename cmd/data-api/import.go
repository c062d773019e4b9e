package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"dataapi/db"
	"dataapi/internal/hass"
)

// open opens the metadata for a command that needs it at once.
func open(ctx context.Context, c config) (*db.DB, error) {
	if err := finishRestore(c, c.logger(os.Stderr)); err != nil {
		return nil, err
	}
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

// importOptions are what may stand before the paths.
func importOptions(how *hass.How) func(*flag.FlagSet) {
	return func(flags *flag.FlagSet) {
		flags.BoolVar(&how.DryRun, "dry-run", false, "only say what would be done")
		flags.BoolVar(&how.Force, "force", false, "even remove more than half of a registry")
	}
}

// importFiles takes registry files over, all of them or, with an error, none, and then states; or a file of webhooks.
// What a folder does not hold is removed.
func importFiles(how *hass.How) func(ctx context.Context, c config, paths []string, out io.Writer) error {
	return func(ctx context.Context, c config, paths []string, out io.Writer) error {
		if slices.ContainsFunc(paths, keepsWebhooks) {
			return importWebhooks(ctx, c, paths, how.DryRun, out)
		}
		states, registries, err := stateFiles(paths)
		if err != nil {
			return err
		}
		files, err := hass.ReadStorage(registries...)
		if err != nil {
			return err
		}
		d, err := open(ctx, c)
		if err != nil {
			return err
		}
		defer d.Close()
		how.Progress = progress(os.Stderr)
		outcome, err := hass.Import(ctx, d, files, *how)
		var much hass.TooMuch
		if errors.As(err, &much) {
			return fmt.Errorf("nothing was imported: %w; --force does it", much)
		}
		if err != nil {
			return err
		}
		report(out, outcome)
		if !how.DryRun {
			return importStates(ctx, c, d, states, out)
		}
		for _, f := range states {
			fmt.Fprintf(out, "%-15s %5d states   %s\n", "states", len(f.points()), f.path)
		}
		fmt.Fprintln(out, "This was a dry run: nothing was stored.")
		return nil
	}
}

func report(out io.Writer, outcome hass.Outcome) {
	for _, f := range outcome.Files {
		fmt.Fprintf(out, "%-15s %5d created  %5d updated  %5d unchanged  %5d deleted  %5d rejected   %s\n",
			f.Kind, f.Created, f.Updated, f.Unchanged, f.Deleted, rejectedEntries(f.Rejected), f.Path)
		for _, r := range f.Rejected {
			fmt.Fprintf(out, "  rejected %s\n", describe(r))
		}
		if f.Deleted > 0 {
			fmt.Fprintf(out, "  deleted %s\n", some(f.DeletedIDs, f.Deleted))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(outcome.Unresolved)) {
		u := outcome.Unresolved[kind]
		fmt.Fprintf(out, "%-15s %5d unresolved: %s\n", kind, u.Count, some(u.IDs, u.Count))
	}
}

// some writes the first of a number of ids.
func some(ids []string, of int) string {
	shown := ids[:min(len(ids), 5)]
	text := strings.Join(shown, ", ")
	if more := of - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
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
