package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// releaseProgram gives the pages of the program back to the page cache, where the kernel may take them when it needs
// memory. Starting has nearly all of the program mapped, and idling uses half of that. What is used again is mapped again
// from there. Only parts are given back all of which is as it is in the file (smaps in proc(5)).
func releaseProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	var begin, end uintptr
	var ours bool
	for line := range strings.Lines(string(smaps)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		if from, to, ok := strings.Cut(fields[0], "-"); ok {
			begin, end = address(from), address(to)
			ours = fields[1][1] == '-' && strings.HasSuffix(line, " "+program+"\n") // and nobody can write it
		}
		if name := fields[0]; name == "Anonymous:" || name == "Swap:" {
			ours = ours && fields[1] == "0"
			if name == "Swap:" && ours { // which is the last of the two
				if _, _, failed := syscall.Syscall(syscall.SYS_MADVISE, begin, end-begin, syscall.MADV_DONTNEED); failed != 0 {
					return failed
				}
			}
		}
	}
	return nil
}

func address(text string) uintptr {
	n, _ := strconv.ParseUint(text, 16, 64)
	return uintptr(n)
}
