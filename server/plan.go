package server

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"dataapi/db"
)

// plan is a home as indented text, for people and language models: a line for each floor, area, device and
// entity. Floors, areas and devices of which it shows no more say what is in them.
func plan(h db.Home) []byte {
	var p planner
	p.WriteString("The home: " + counted(h.FloorCount, "floor"))
	p.counts(counted(h.AreaCount, "area"), counted(h.DeviceCount, "device"), counted(h.EntityCount, "entity"))
	p.leftOut(h.LeftOut)
	for _, f := range h.Floors {
		p.WriteByte('\n')
		p.floor(f)
	}
	p.WriteByte('\n')
	return p.Bytes()
}

// planner writes a plan. Each line begins with the end of the one before it.
type planner struct{ bytes.Buffer }

func (p *planner) line(level int, text string) {
	p.WriteByte('\n')
	for range level {
		p.WriteString("  ")
	}
	p.WriteString(text)
}

func (p *planner) counts(counts ...string) {
	for _, c := range counts {
		p.WriteString(", " + c)
	}
}

func (p *planner) leftOut(l db.HomeLeftOut) {
	if l.Devices+l.Entities == 0 {
		return
	}
	p.line(0, "Left out: "+counted(l.Devices, "device"))
	p.counts(counted(l.Entities, "entity"))
	p.notes(some(l.Disabled, "disabled"), some(l.Hidden, "hidden"), some(l.Unexposed, "not exposed"))
}

func (p *planner) floor(f db.HomeFloor) {
	p.line(0, titled(f.Name, f.FloorID, "(no floor)"))
	if f.Areas == nil {
		p.counts(counted(f.AreaCount, "area"), counted(f.DeviceCount, "device"), counted(f.EntityCount, "entity"))
	}
	for _, a := range f.Areas {
		p.area(a)
	}
}

func (p *planner) area(a db.HomeArea) {
	p.line(1, titled(a.Name, a.AreaID, "(no area)"))
	if a.Devices == nil {
		p.counts(counted(a.DeviceCount, "device"), counted(a.EntityCount, "entity"))
	}
	for _, d := range a.Devices {
		p.device(d)
	}
}

func (p *planner) device(d db.HomeDevice) {
	name := "(no device here)"
	if d.Key != nil {
		name = oneLine(*d.Name)
	}
	p.line(2, name)
	p.notes(noted(d.Manufacturer), noted(d.Model), mark(d.Disabled != nil && *d.Disabled, "disabled"))
	if d.Entities == nil {
		p.counts(counted(d.EntityCount, "entity"))
	}
	for _, e := range d.Entities {
		p.entity(e, name)
	}
}

func (p *planner) entity(e db.HomeEntity, device string) {
	id := oneLine(e.EntityID)
	p.line(3, id)
	if name := shortName(oneLine(e.Name), device); name != "" && !strings.HasSuffix(id, "."+name) {
		p.WriteString("  " + name)
	}
	if e.State != nil {
		p.WriteString(" = " + oneLine(e.State.State))
	}
	class := e.UnitOfMeasurement
	if class == nil {
		class = e.DeviceClass
	}
	p.notes(noted(class), noted(e.EntityCategory), mark(e.Disabled, "disabled"), mark(e.HiddenBy != nil, "hidden"))
}

// shortName is the name of an entity without that of its device, under which it stands.
func shortName(name, device string) string {
	rest, begins := strings.CutPrefix(name, device)
	if !begins || rest != "" && rest[0] != ' ' {
		return name
	}
	return strings.TrimSpace(rest)
}

// notes writes those that are there, in brackets.
func (p *planner) notes(all ...string) {
	var there []string
	for _, note := range all {
		if note != "" {
			there = append(there, note)
		}
	}
	if len(there) > 0 {
		p.WriteString(" (" + strings.Join(there, ", ") + ")")
	}
}

// titled is a name with its id, or what stands for a group of what has none.
func titled(name, id *string, none string) string {
	if id == nil {
		return none
	}
	return oneLine(*name) + " [" + oneLine(*id) + "]"
}

// noted is text that says something, on one line.
func noted(text *string) string {
	if text == nil || *text == "Unknown" {
		return ""
	}
	return oneLine(*text)
}

func mark(holds bool, word string) string {
	if holds {
		return word
	}
	return ""
}

func some(n int64, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, what)
}

// oneLine is text that cannot pass for lines of the plan: names are whatever somebody typed.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " ")
}

var plurals = map[string]string{"floor": "floors", "area": "areas", "device": "devices", "entity": "entities"}

func counted(n int64, noun string) string {
	if n != 1 {
		noun = plurals[noun]
	}
	return fmt.Sprintf("%d %s", n, noun)
}
