// Command data-api serves the metadata and the history of a smart home over HTTP.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // a container from scratch has no time zones

	"dataapi/internal/hass"
)

// version and commit are set when the binary is linked.
var version, commit = "dev", ""

// command is something that data-api can be told to do; the name may be two words. run gets what follows the command's name.
type command struct {
	name, usage, about string
	run                func(ctx context.Context, c config, args []string, out io.Writer) error
	maxArgs            int // -1 for any number
	minArgs            int
	anyhow             bool // whether it runs with bad settings, too, because it reads none
	options            func(*flag.FlagSet)
}

func commands() []command {
	var how hass.How
	var key keyOptions
	var replace bool
	return []command{
		{"serve", "serve", "Serves the HTTP API; the default", serve, 0, 0, false, nil},
		{"import", "import [--dry-run] [--force] PATH…", "Takes over Home Assistant's registries from .storage folders or files, states from states.json, or a webhooks.json", importFiles(&how), -1, 1, false, importOptions(&how)},
		{"migrate", "migrate", "Makes the database, or brings it up to date", migrate, 0, 0, false, nil},
		{"keys create", "keys create --name NAME [OPTIONS]", "Makes a key, and prints it this once", createKey(&key), 0, 0, false, key.flags},
		{"keys list", "keys list", "Lists the keys, and when each was last used", listKeys, 0, 0, false, nil},
		{"keys revoke", "keys revoke ID…", "Revokes keys; a service that runs sees that at once", revokeKeys, -1, 1, false, nil},
		{"backup", "backup [--force] FILE", "Makes a backup of all files, also while data-api serves them", makeBackup(&replace), 1, 1, false, backupOptions(&replace)},
		{"restore", "restore FILE", "Puts a backup back, or one database file, while data-api does not run; keeps what was there", restore, 1, 1, false, nil},
		{"routes", "routes", "Lists the routes: method, path, scope, operation, SQL file", listRoutes, 0, 0, true, nil},
		{"healthcheck", "healthcheck", "Asks the service that runs here whether it is ready; for containers", healthcheck, 0, 0, false, nil},
		{"version", "version", "Prints the version and the commit that it was built from", printVersion, 0, 0, true, nil},
	}
}

// errUsage says that the command line was wrong; what was wrong has been printed.
var errUsage = errors.New("wrong usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "data-api:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	name := "serve"
	if len(args) > 1 && args[0] == "keys" {
		args = append([]string{args[0] + " " + args[1]}, args[2:]...)
	}
	switch {
	case len(args) == 0:
	case args[0] == "help", args[0] == "-h", args[0] == "-help", args[0] == "--help":
		help(out)
		return nil
	case args[0] != "" && args[0][0] != '-':
		name, args = args[0], args[1:]
	}
	for _, c := range commands() {
		if c.name == name {
			return c.start(ctx, args, out, errOut)
		}
	}
	fmt.Fprintf(errOut, "data-api: there is no command %q\n\n", name)
	help(errOut)
	return errUsage
}

func (c command) start(ctx context.Context, args []string, out, errOut io.Writer) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	if c.options != nil {
		c.options(flags)
	}
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(out, "Usage: data-api %s\n\n%s.\n\n", c.usage, c.about)
		if c.options != nil {
			flags.VisitAll(func(f *flag.Flag) { fmt.Fprintf(out, "  --%-10s %s\n", f.Name, f.Usage) })
			fmt.Fprintln(out)
		}
		helpSettings(out)
		return nil
	case err == nil && flags.NArg() < c.minArgs:
		err = errors.New("an argument is missing")
	case err == nil && c.maxArgs >= 0 && flags.NArg() > c.maxArgs:
		err = fmt.Errorf("%q is one argument too many", flags.Arg(c.maxArgs))
	}
	if err != nil {
		fmt.Fprintf(errOut, "data-api %s: %v\nUsage: data-api %s\n", c.name, err, c.usage)
		return errUsage
	}
	settings, err := loadConfig(os.Environ())
	if err != nil && !c.anyhow {
		return err
	}
	return c.run(ctx, settings, flags.Args(), out)
}

func help(w io.Writer) {
	fmt.Fprint(w, "data-api serves the metadata and the history of a smart home over HTTP.\n\nUsage: data-api [COMMAND]\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-34s %s\n", c.usage, c.about)
	}
	fmt.Fprint(w, "\n")
	helpSettings(w)
}

func printVersion(_ context.Context, _ config, _ []string, out io.Writer) error {
	line := "data-api " + version
	if commit != "" {
		line += " (" + commit + ")"
	}
	_, err := fmt.Fprintln(out, line)
	return err
}
