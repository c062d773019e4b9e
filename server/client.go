package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddr is the address that a request comes from, as far as trusted proxies tell; the zero Addr where nobody can
// tell, as on a Unix socket.
func clientAddr(r *http.Request) netip.Addr { return addressIn(r.RemoteAddr) }

// addressIn reads an address, with a port or without; the zero Addr is none.
func addressIn(text string) netip.Addr {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// unknownClient stands for the address where a proxy told of none.
const unknownClient = "unknown"

// believe puts the client in place of a trusted proxy: the last address that a proxy added which is of no such proxy
// itself. What stands before it anybody may have sent.
func (s *Server) believe(r *http.Request) {
	if len(s.Proxies) == 0 || !s.isProxy(clientAddr(r)) {
		return
	}
	hops := hopsOf(r.Header)
	for _, hop := range slices.Backward(hops) {
		client := addressIn(hop)
		if !client.IsValid() {
			r.RemoteAddr = unknownClient
			return
		}
		r.RemoteAddr = client.String()
		if !s.isProxy(client) {
			return
		}
	}
}

func (s *Server) isProxy(a netip.Addr) bool {
	return slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// hopsOf are the addresses that proxies added, the last one last. X-Forwarded-For comes before Forwarded (RFC 7239):
// few proxies write the latter, and most of the others let it pass as the client sent it.
func hopsOf(header http.Header) (hops []string) {
	if lines := header["X-Forwarded-For"]; len(lines) > 0 {
		for hop := range strings.SplitSeq(strings.Join(lines, ","), ",") {
			hops = append(hops, strings.TrimSpace(hop))
		}
		return hops
	}
	if lines := header["Forwarded"]; len(lines) > 0 {
		text := strings.Join(lines, ",")
		if strings.Count(text, `"`)%2 != 0 {
			return []string{""} // a quote that the client left open would hide what a proxy added
		}
		for _, element := range quotedSplit(text, ',') {
			hops = append(hops, forOf(element))
		}
	}
	return hops
}

// forOf is the node that an element of Forwarded is for, "" where it does not say.
func forOf(element string) string {
	for _, pair := range quotedSplit(element, ';') {
		name, value, _ := strings.Cut(pair, "=")
		if strings.EqualFold(strings.TrimSpace(name), "for") {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// quotedSplit splits text, but not inside of quotes.
func quotedSplit(text string, by rune) []string {
	quoted := false
	parts, from := []string{}, 0
	for i, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case c == by && !quoted:
			parts, from = append(parts, text[from:i]), i+1
		}
	}
	return append(parts, text[from:])
}
