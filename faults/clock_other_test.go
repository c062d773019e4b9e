//go:build !linux || !amd64

package faults

import "testing"

func TestClockJumps(t *testing.T) {
	t.Skip("NOT TESTED: clocks that jump, as how to put one forward is only known of Linux on amd64")
}
