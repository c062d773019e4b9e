package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"dataapi/internal/backup"
)

func backupOptions(replace *bool) func(*flag.FlagSet) {
	return func(flags *flag.FlagSet) {
		flags.BoolVar(replace, "force", false, "take the place of a file that is there")
	}
}

// makeBackup makes a backup, whether a service has the files open or not.
func makeBackup(replace *bool) func(ctx context.Context, c config, args []string, out io.Writer) error {
	return func(ctx context.Context, c config, args []string, out io.Writer) error {
		if err := finishRestore(c, c.logger(os.Stderr)); err != nil {
			return err
		}
		if err := notOurs(c, args[0]); err != nil {
			return err
		}
		b, err := backup.Create(ctx, c.databases().Sources(), args[0], version, *replace)
		if err != nil {
			return fmt.Errorf("no backup was made: %w", err)
		}
		for _, f := range b.Files {
			fmt.Fprintf(out, "%-12s %12d bytes   %s\n", f.Name, f.Bytes, f.SchemaVersion)
		}
		for _, name := range b.Missing() {
			fmt.Fprintf(out, "%-12s                      not in it: there is no such file yet\n", name)
		}
		_, err = fmt.Fprintf(out, "verified     %12d bytes   %s\n", b.Bytes, args[0])
		return err
	}
}

// notOurs refuses the database files themselves.
func notOurs(c config, path string) error {
	target, err := os.Stat(path)
	if err != nil {
		return nil
	}
	for _, file := range c.databases() {
		if there, err := os.Stat(file); err == nil && os.SameFile(target, there) {
			return fmt.Errorf("%s is a database that is in use, and no place for a backup", path)
		}
	}
	return nil
}

// restore puts a backup back.
func restore(ctx context.Context, c config, args []string, out io.Writer) error {
	if err := finishRestore(c, c.logger(os.Stderr)); err != nil {
		return err
	}
	files, err := backup.Restore(ctx, c.databases(), args[0])
	if err != nil && files == nil {
		return fmt.Errorf("nothing was restored: %w", err)
	}
	for _, f := range files {
		fmt.Fprintf(out, "restored  %s, of schema %s\n", f.Path, f.Schema)
		if f.Aside != "" {
			fmt.Fprintf(out, "kept      %s, which was there before\n", f.Aside)
		}
	}
	for _, path := range c.databases() {
		if !slices.ContainsFunc(files, func(f backup.Restored) bool { return f.Path == path }) {
			fmt.Fprintf(out, "left      %s, which is not in the backup\n", path)
		}
	}
	return err
}

// finishRestore carries a restore to its end that was cut off.
func finishRestore(c config, log *slog.Logger) error {
	did, err := c.databases().Finish()
	if did != "" {
		log.Warn(did)
	}
	return err
}
