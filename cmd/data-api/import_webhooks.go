package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dataapi/db"
	"dataapi/db/dbtype"
	"dataapi/internal/webhook"
)

// keepsWebhooks says whether a file is one in which the service before this one kept its webhooks.
func keepsWebhooks(path string) bool { return filepath.Base(path) == "webhooks.json" }

// errDryRun undoes what was only tried.
var errDryRun = errors.New("a dry run")

// importWebhooks takes a webhooks.json over in one transaction, after putting a copy beside it. Webhooks that are
// there already stay as they are. With an error nothing is stored.
func importWebhooks(ctx context.Context, c config, paths []string, dryRun bool, out io.Writer) error {
	if len(paths) > 1 {
		return errors.New("nothing was imported: webhooks.json has to be imported by itself")
	}
	text, err := os.ReadFile(paths[0])
	if err != nil {
		return err
	}
	kept, err := webhook.ParseFile(text)
	if err != nil {
		return fmt.Errorf("nothing was imported from %s:\n%w", paths[0], err)
	}
	d, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer d.Close()
	if !dryRun {
		if err := keepCopy(paths[0], text, out); err != nil {
			return fmt.Errorf("nothing was imported: a copy has to be put beside the file first: %w", err)
		}
	}
	created, err := takeWebhooks(ctx, d, kept, dryRun)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-15s %5d created  %5d there already   %s\n", "webhooks", created, int64(len(kept))-created, paths[0])
	reportEvents(out, kept)
	if dryRun {
		fmt.Fprintln(out, "This was a dry run: nothing was stored.")
	}
	return nil
}

// takeWebhooks stores those that are not there yet, and counts them.
func takeWebhooks(ctx context.Context, d *db.DB, kept []webhook.Kept, dryRun bool) (created int64, err error) {
	err = d.Write(ctx, func(q *db.Queries) error {
		created = 0
		log, err := q.ChangeLog(ctx)
		if err != nil {
			return err
		}
		for _, k := range kept {
			n, err := takeWebhook(ctx, q, k, log.Newest.String())
			if err != nil {
				return fmt.Errorf("webhook %q: %w", k.ID, err)
			}
			created += n
		}
		if dryRun {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return created, err
}

func takeWebhook(ctx context.Context, q *db.Queries, k webhook.Kept, since string) (created int64, err error) {
	events, err := json.Marshal(k.Events)
	if err != nil {
		return 0, err
	}
	return q.CreateWebhook(ctx, db.CreateWebhookParams{
		WebhookID: k.ID, Url: k.URL, Events: dbtype.JSON(events), Filter: "{}", Team: k.Team, Secret: k.Secret,
		Since: since, CreatedAt: k.CreatedAt,
	})
}

// reportEvents says which events were sent by the service before this one and are not by this one.
func reportEvents(out io.Writer, kept []webhook.Kept) {
	for _, k := range kept {
		unknown := slices.DeleteFunc(slices.Clone(k.Events), func(event string) bool { return webhook.CheckEvent(event) == nil })
		if len(unknown) > 0 {
			fmt.Fprintf(out, "  %s: not sent by this service: %s\n", k.ID, strings.Join(unknown, ", "))
		}
	}
}

// keepCopy puts a copy of a file beside it, for its owner only, unless there is one of the same text.
func keepCopy(path string, text []byte, out io.Writer) error {
	name := fmt.Sprintf("%s.%.4x.bak", path, sha256.Sum256(text))
	if there, err := os.ReadFile(name); err == nil && bytes.Equal(there, text) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(name)+".partial-")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	fmt.Fprintf(out, "%-15s %s\n", "copy", name)
	return nil
}
