package server

import (
	"net/http"
	"net/netip"
)

// clientAddr is the address that a request comes from; the zero Addr where nobody can tell, as on a Unix socket.
func clientAddr(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}
