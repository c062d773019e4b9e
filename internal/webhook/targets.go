package webhook

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Targets says which addresses webhooks may be at. The zero value allows the local network and the internet:
// all but this machine itself, link-local addresses, and addresses of many or of nobody.
type Targets struct {
	Allow []netip.Prefix // although they would be refused
	Deny  []netip.Prefix // in any case
}

// ParsePrefixes reads networks and addresses with commas between them.
func ParsePrefixes(text string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		prefix, err := parsePrefix(item)
		if err != nil {
			return nil, fmt.Errorf("%q is neither a network, such as 10.0.0.0/8, nor an address", item)
		}
		all = append(all, prefix)
	}
	return all, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		address = address.Unmap()
		return address.Prefix(address.BitLen())
	}
	prefix, err := netip.ParsePrefix(text) // a zone, which may hold a slash, is an error to it
	if address := prefix.Addr(); address.Is4In6() && prefix.Bits() >= 96 {
		return address.Unmap().Prefix(prefix.Bits() - 96)
	}
	return prefix.Masked(), err
}

// CheckURL says what is wrong with the URL of a webhook, as far as that can be said without looking up names.
func (t Targets) CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > 2000 || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !isPort(u.Port()):
		return errors.New("must be the URL of a receiver, such as http://homeassistant.local:8123/api/webhook/abc, of at most 2000 bytes")
	case u.User != nil:
		return errors.New("must not hold a user or a password: the webhook's secret signs what is sent")
	case u.Fragment != "":
		return errors.New("must not hold a fragment")
	}
	if address, err := netip.ParseAddr(u.Hostname()); err == nil {
		return t.check(address)
	}
	return nil
}

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && port > 0
}

// errTarget says that an address may not be called.
type errTarget struct{ netip.Addr }

func (e errTarget) Error() string { return fmt.Sprintf("webhooks may not be at %s", e.Addr) }

// control looks at an address after names were resolved and before it is called (net.Dialer.Control), so that
// no name can have one address when it is looked at and another one when it is called.
func (t Targets) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	return t.check(target.Addr())
}

func (t Targets) check(address netip.Addr) error {
	address = address.WithZone("").Unmap()
	reached := reachedBy(address)
	in := func(p netip.Prefix) bool { return p.Contains(address) || p.Contains(reached) }
	switch {
	case slices.ContainsFunc(t.Deny, in):
		return errTarget{address}
	case slices.ContainsFunc(t.Allow, in):
		return nil
	case slices.ContainsFunc(refused, in):
		return errTarget{address}
	}
	own, err := net.InterfaceAddrs()
	if err != nil || isOneOf(own, address) || isOneOf(own, reached) {
		return errTarget{address}
	}
	return nil
}

// refused are the addresses of this machine, of the link, of many, and of nobody.
var refused = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("224.0.0.0/4"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/127"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("ff00::/8"),
}

// IPv6 addresses that stand for IPv4 ones.
var (
	compatible = netip.MustParsePrefix("::/96")        // RFC 4291, section 2.5.5.1
	translated = netip.MustParsePrefix("64:ff9b::/96") // NAT64, RFC 6052
	sixToFour  = netip.MustParsePrefix("2002::/16")    // RFC 3056
)

// reachedBy is the IPv4 address that an IPv6 address stands for, or the address itself.
func reachedBy(address netip.Addr) netip.Addr {
	if address.Is4() {
		return address
	}
	bytes := address.As16()
	switch {
	case compatible.Contains(address), translated.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[12:]))
	case sixToFour.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	}
	return address
}

// isOneOf says whether a network interface has the address.
func isOneOf(interfaces []net.Addr, address netip.Addr) bool {
	return slices.ContainsFunc(interfaces, func(a net.Addr) bool {
		network, ok := a.(*net.IPNet)
		if !ok {
			return false
		}
		own, ok := netip.AddrFromSlice(network.IP)
		return ok && own.Unmap() == address
	})
}
