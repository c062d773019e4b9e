package embedded_test

import (
	"slices"
	"testing"
	"time"

	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/historytest"
)

// A point that comes late changes the hours after it, as far as the first that knows a state of its own.
func TestLatePointChangesTheHoursAfterIt(t *testing.T) {
	at := func(hours history.Micros) history.Micros { return historytest.Now - hours*history.Hour + 60_000_000 }
	point := func(hours history.Micros, state string) history.Point {
		return history.Point{EntityID: "sensor.energy", RegistryID: "r2", Time: at(hours), State: state}
	}
	points := []history.Point{point(9, "5"), point(7, "unavailable"), point(5, "unknown"), point(3, "9"), point(2, "10"), point(8, "7")}
	s := opened(t, embedded.Config{})
	store(t, s, points[:5])
	tidy(t, s)
	store(t, s, points[5:])
	tidy(t, s)
	edges := historytest.Edges(historytest.Now-12*history.Hour, historytest.Now, history.Hour)
	historytest.Subject{}.Agrees(t, s, points, history.BucketQuery{Series: historytest.All(), Edges: edges, Parts: history.All, Now: historytest.Now})
}

// A whole home that comes in random order, in parts, with a move after each, is summed up like any other.
func TestMovesInParts(t *testing.T) {
	points := historytest.Subject{}.Home(7, 80*history.Hour)
	s := opened(t, embedded.Config{})
	for part := range slices.Chunk(points, len(points)/5+1) {
		store(t, s, part)
		tidy(t, s)
	}
	edges := historytest.Edges(historytest.Now-80*history.Hour, historytest.Now, history.Hour)
	historytest.Subject{}.Agrees(t, s, points, history.BucketQuery{Series: historytest.All(), Edges: edges, Parts: history.All, Now: historytest.Now})
}

// Contexts are known for a day, also of points at their places, and said to be lost after that.
func TestContextsAreKeptForADay(t *testing.T) {
	now := history.At(time.Now())
	points := []history.Point{
		{EntityID: "light.a", RegistryID: "r", Time: now - history.Hour, State: "on", Context: "new"},
		{EntityID: "light.a", RegistryID: "r", Time: now - 50*history.Hour, State: "off", Context: "old"},
		{EntityID: "light.a", RegistryID: "r", Time: now - history.Hour/2, State: "off", Context: "newest"},
	}
	s := opened(t, embedded.Config{})
	store(t, s, points)
	tidy(t, s)
	events, err := s.Events(t.Context(), history.Page{Start: history.Always, End: history.Forever, Limit: 10})
	if err != nil || len(events) != 3 {
		t.Fatal(events, err)
	}
	for i, want := range []history.Event{
		{Point: history.Point{Context: "newest"}, Complete: true}, {Point: history.Point{Context: "new"}, Complete: true}, {},
	} {
		if e := events[i]; e.Context != want.Context || e.Complete != want.Complete || (e.Old == nil) != (i == 2) {
			t.Errorf("event %d: %+v, want %+v", i, e, want)
		}
	}
}
