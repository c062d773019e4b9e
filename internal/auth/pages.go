package auth

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
)

// Why a request is not answered that a web page may have had a browser send, to a service that lets all in who can
// reach it.
var (
	ErrHost = errors.New("this service is asked for by a name that is not its own: where no key is asked for, it answers to " +
		"localhost, the addresses of loopback and DATA_API_HOST; ENABLE_AUTH=true asks for keys, and answers to all names")
	ErrOrigin = errors.New("a web page of another origin may not change anything here without a key: ENABLE_AUTH=true asks for keys")
)

// Local returns a guard that lets everybody do everything who is on this machine. It answers to the names of the
// loopback addresses and to host alone, with any port: a name of somebody else's that resolves to this machine is how
// web pages get around their own origin (DNS rebinding). Pages of the origins may change things as well.
func Local(host string, origins []string) *Guard {
	pages := http.NewCrossOriginProtection()
	for _, origin := range origins {
		pages.AddTrustedOrigin(origin) // an error is that it is none, such as *: that lets pages read
	}
	return &Guard{open: true, local: true, host: host, pages: pages}
}

// Misled says by its error that a request may not be what the one meant in whose name it comes. Where keys are asked
// for it is nil: a web page has none. So it is of what only reads: other pages cannot see the answer.
func (g *Guard) Misled(r *http.Request) error {
	switch {
	case g == nil || !g.local:
		return nil
	case !g.answersTo(r.Host):
		return ErrHost
	case g.pages.Check(r) != nil:
		return ErrOrigin
	}
	return nil
}

// answersTo says whether a Host header names this machine. No browser leaves it out.
func (g *Guard) answersTo(header string) bool {
	name := withoutPort(header)
	if name == "" || strings.EqualFold(name, "localhost") || strings.EqualFold(name, g.host) {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

// withoutPort is the name or address in a Host header.
func withoutPort(header string) string {
	if inner, ok := strings.CutPrefix(header, "["); ok {
		name, _, _ := strings.Cut(inner, "]")
		return name
	}
	name, _, _ := strings.Cut(header, ":")
	return name
}
