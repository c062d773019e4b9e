package main

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dataapi/db"
	"dataapi/internal/auth"
	"dataapi/internal/webhook"
)

// asking is ENABLE_AUTH: whether keys are asked for.
type asking string

// What it may be.
const (
	whereNeeded asking = ""      // on any address but loopback
	always      asking = "true"  // there, too
	never       asking = "false" // nowhere
)

// weakKey is how many characters a key of random letters and digits needs at least, to be as good as one of 96 bits.
const weakKey = 16

// guard says who may do what where the service listens. Whoever is let in without a key is said in the log.
func (c config) guard(metadata *db.DB, at net.Addr, log *slog.Logger) *auth.Guard {
	switch {
	case c.EnableAuth == never:
		log.Warn("ENABLE_AUTH=false: whoever can reach this address can read and change everything", "address", at.String())
		if loopback(at) {
			return auth.Local(c.Host, c.origins())
		}
		return auth.Open()
	case c.EnableAuth == whereNeeded && loopback(at):
		if c.APIKey != "" {
			log.Warn("API_KEY is set, but no key is asked for on the loopback address: ENABLE_AUTH=true asks for it")
		}
		return auth.Local(c.Host, c.origins())
	}
	if c.APIKey != "" && len(c.APIKey) < weakKey {
		log.Warn("API_KEY is short: data-api keys create makes one that nobody guesses")
	}
	return auth.New(auth.Config{DB: metadata, APIKey: c.APIKey, KeyFile: c.adminKeyFile(), Trusted: c.trusted(), Log: log})
}

// trusted is TRUSTED_NETWORKS.
func (c config) trusted() []netip.Prefix {
	networks, _ := webhook.ParsePrefixes(c.TrustedNetworks) // check has parsed them
	return networks
}

// checkTrusted refuses what is no network, and what is all of them: that is to be said as it is meant.
func (c config) checkTrusted(refuse func(name string, value any, want string)) {
	networks, err := webhook.ParsePrefixes(c.TrustedNetworks)
	if err != nil {
		refuse("TRUSTED_NETWORKS", strconv.Quote(c.TrustedNetworks), err.Error())
	}
	if slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Bits() == 0 }) {
		refuse("TRUSTED_NETWORKS", strconv.Quote(c.TrustedNetworks), "it must not hold all addresses: ENABLE_AUTH=false lets everybody in")
	}
}

// adminKeyFile is where the first key is written: beside the metadata.
func (c config) adminKeyFile() string {
	path, _ := db.ParseURL(c.DatabaseURL)
	if path == db.Memory {
		return "admin.key"
	}
	return filepath.Join(filepath.Dir(path), "admin.key")
}

// UnmarshalText reads true or false, in whatever case.
func (a *asking) UnmarshalText(text []byte) error {
	switch value := asking(strings.ToLower(string(text))); value {
	case whereNeeded, always, never:
		*a = value
		return nil
	}
	return errors.New("it must be true or false")
}
