package main

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// TestReleaseProgram has the program go on with pages that are mapped anew.
func TestReleaseProgram(t *testing.T) {
	before := mappedOfFiles(t)
	if err := releaseProgram(); err != nil {
		t.Fatal(err)
	}
	if after := mappedOfFiles(t); after >= before {
		t.Errorf("%d kB of files are mapped, of %d before", after, before)
	}
}

// mappedOfFiles is how much of files the process has in its memory, in kB.
func mappedOfFiles(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`RssFile:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no RssFile in %s", status)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}
