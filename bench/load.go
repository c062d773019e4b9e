package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// asked is what wrk asks again and again, of data-api and of the empty handler.
type asked struct {
	name    string
	clients int
	path    string // with ID for one of the devices, another one each time
	etag    bool   // whether the client has the answer already
}

var (
	points = []asked{
		{name: "point read", clients: 16, path: "/api/v1/devices/ID"},
		{name: "point read", clients: 64, path: "/api/v1/devices/ID"},
	}
	list  = asked{name: "list of 100", clients: 16, path: "/api/v1/devices?limit=100"}
	known = asked{name: "list of 100 that the client has (304)", clients: 16, path: list.path, etag: true}
)

// underLoad measures the real binary, and a handler as one would write it without data-api, against the empty
// handler. The load is made by wrk, which leaves more of the processors to the servers than a client in Go.
func (b *bench) underLoad(ctx context.Context) error {
	if _, err := exec.LookPath("wrk"); err != nil {
		return errors.New("the load test needs wrk, which Debian and others have as a package")
	}
	d, err := b.fill(ctx, "small.db", smallDevices, smallEntities)
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		return err
	}
	empty, err := b.empty(ctx)
	if err != nil {
		return err
	}
	defer empty.Process.Kill()
	plain, err := b.plain(ctx, "small.db")
	if err != nil {
		return err
	}
	defer plain.Process.Kill()
	if err := b.inTurns(ctx, "plain database/sql:", plain, empty, points...); err != nil {
		return err
	}
	for _, cache := range []struct{ name, setting string }{{"uncached", "off"}, {"cached", "on"}} {
		data, err := b.data(ctx, "small.db", "RESPONSE_CACHE="+cache.setting)
		if err != nil {
			return err
		}
		if err := errors.Join(b.inTurns(ctx, cache.name, data, empty, append(points, list, known)...), data.stop()); err != nil {
			return err
		}
	}
	return nil
}

// inTurns asks a server and the empty one in turns, and prints the medians of the ratios.
func (b *bench) inTurns(ctx context.Context, how string, server, empty *process, all ...asked) error {
	for _, q := range all {
		script, length, err := b.script(q, server)
		if err != nil {
			return err
		}
		var rates, efficiencies, perSecond []float64
		for range b.rounds {
			theirs, err := b.wrk(ctx, empty, q.clients, script)
			if err != nil {
				return err
			}
			ours, err := b.wrk(ctx, server, q.clients, script)
			if err != nil {
				return err
			}
			rates = append(rates, ours.perSecond/theirs.perSecond)
			efficiencies = append(efficiencies, float64(theirs.cpu)/float64(ours.cpu))
			perSecond = append(perSecond, ours.perSecond)
		}
		row(fmt.Sprintf("%s %s, %d clients", how, q.name, q.clients), "%.2f of the empty handler's rate, %.2f of its CPU efficiency (%d bytes, %.0f/s)",
			median(rates), median(efficiencies), length, median(perSecond))
	}
	return nil
}

// script writes what wrk is to send. The empty handler is told how long the answer of the server is.
func (b *bench) script(q asked, server *process) (file string, length int64, err error) {
	first := strings.Replace(q.path, "ID", deviceID(0), 1)
	request, err := http.NewRequest(http.MethodGet, "http://"+server.address+first, nil)
	if err != nil {
		return "", 0, err
	}
	request.Header.Set("Accept-Encoding", "identity") // as wrk gets it
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", 0, err
	}
	response.Body.Close()
	headers := ""
	if length = response.ContentLength; q.etag {
		headers, length = fmt.Sprintf("\nwrk.headers[%q] = %q", "If-None-Match", response.Header.Get("ETag")), 0
	}
	var ids strings.Builder
	for i := range smallDevices {
		fmt.Fprintf(&ids, "%q,", deviceID(i))
	}
	text := fmt.Sprintf(`local ids = {%s}
wrk.headers["X-Length"] = "%d"%s
request = function()
  return wrk.format("GET", (string.gsub(%q, "ID", ids[math.random(#ids)])))
end
done = function(summary)
  local e = summary.errors
  print(string.format("done %%f %%d", summary.requests / summary.duration * 1e6, summary.requests))
  print(string.format("failed %%d", e.connect + e.read + e.write + e.status + e.timeout))
end
`, ids.String(), length, headers, q.path)
	file = filepath.Join(b.folder, "load.lua")
	return file, length, os.WriteFile(file, []byte(text), 0o600)
}

var (
	wrkDone   = regexp.MustCompile(`done ([0-9.]+) ([0-9]+)`)
	wrkFailed = regexp.MustCompile(`failed ([0-9]+)`)
)

// wrk runs one round.
func (b *bench) wrk(ctx context.Context, p *process, clients int, script string) (load, error) {
	seconds := max(1, int(b.length/time.Second))
	c := exec.CommandContext(ctx, "wrk", "-t1", "-c", strconv.Itoa(clients), "-d", strconv.Itoa(seconds)+"s", "-s", script, "http://"+p.address)
	cpu := p.cpu()
	out, err := c.Output()
	cpu = p.cpu() - cpu
	done, failed := wrkDone.FindSubmatch(out), wrkFailed.FindSubmatch(out)
	if err != nil || done == nil || failed == nil {
		return load{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	if string(failed[1]) != "0" {
		return load{}, fmt.Errorf("wrk: %s requests failed", failed[1])
	}
	rate, _ := strconv.ParseFloat(string(done[1]), 64)
	requests, _ := strconv.Atoi(string(done[2]))
	return load{perSecond: rate, cpu: cpu / time.Duration(max(1, requests))}, nil
}
