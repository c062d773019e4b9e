package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"dataapi/db"
	"dataapi/internal/auth"
	"dataapi/server"
)

// keyOptions are what a new key is to be.
type keyOptions struct{ name, scopes, expires string }

func (o *keyOptions) flags(flags *flag.FlagSet) {
	flags.StringVar(&o.name, "name", "", "what the key is for")
	flags.StringVar(&o.scopes, "scopes", "read", "what it is good for, with commas, of "+strings.Join(auth.Names(), ", ")+"; read if it is not given")
	flags.StringVar(&o.expires, "expires", "", "for how long, such as 90d or 1y; for ever if it is not given")
}

// grant is what they say. The error names all that is wrong.
func (o *keyOptions) grant(now time.Time) (auth.Grant, error) {
	g := auth.Grant{Name: o.name, Scopes: strings.Split(strings.ReplaceAll(o.scopes, " ", ""), ",")}
	var problems []error
	if o.expires != "" {
		lasts, err := server.ParseDuration(o.expires)
		if err != nil || lasts <= 0 {
			problems = append(problems, errors.New("--expires must be a duration, such as 90d or 1y"))
		} else {
			g.Expires = now.Add(lasts)
		}
	}
	for _, f := range g.Check(now) {
		member, _, _ := strings.Cut(f.Member, "_")
		problems = append(problems, fmt.Errorf("--%s %s", member, f.Detail))
	}
	return g, errors.Join(problems...)
}

// createKey makes a key, while the service runs or not, and prints it alone, so that a script can take it.
func createKey(o *keyOptions) func(ctx context.Context, c config, args []string, out io.Writer) error {
	return func(ctx context.Context, c config, _ []string, out io.Writer) error {
		g, err := o.grant(time.Now())
		if err != nil {
			return err
		}
		d, err := open(ctx, c)
		if err != nil {
			return err
		}
		defer d.Close()
		var key string
		var row db.APIKey
		err = d.Write(ctx, func(q *db.Queries) (err error) {
			key, row, err = auth.Create(ctx, q, g)
			return err
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "key %s for %q; it is shown this once:\n", row.ID, row.Name)
		_, err = fmt.Fprintln(out, key)
		return err
	}
}

func listKeys(ctx context.Context, c config, _ []string, out io.Writer) error {
	d, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer d.Close()
	rows, err := d.ListAPIKeys(ctx, db.ListAPIKeysParams{Lim: -1})
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSTARTS WITH\tSCOPES\tCREATED\tEXPIRES\tLAST USED\tNAME")
	for _, k := range rows {
		var scopes []string
		if err := json.Unmarshal([]byte(k.Scopes), &scopes); err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%q\n", k.ID, k.StartsWith, strings.Join(scopes, ","),
			minute(&k.CreatedAt), minute(k.ExpiresAt), minute(k.LastUsedAt), k.Name)
	}
	return t.Flush()
}

// minute is a time of the tables for people, or that there is none.
func minute(text *string) string {
	if text == nil {
		return "never"
	}
	at, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		return *text
	}
	return at.UTC().Format("2006-01-02 15:04Z")
}

// revokeKeys revokes keys by their ids, all of them or none. A service that runs sees that at once.
func revokeKeys(ctx context.Context, c config, ids []string, out io.Writer) error {
	d, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Write(ctx, func(q *db.Queries) error {
		for _, id := range ids {
			if n, err := q.DeleteAPIKey(ctx, id); n == 0 {
				return cmp.Or(err, fmt.Errorf("no key has the id %q: nothing was revoked", id))
			}
		}
		return nil
	})
	for _, id := range ids {
		if err == nil {
			fmt.Fprintf(out, "%s is revoked\n", id)
		}
	}
	return err
}
