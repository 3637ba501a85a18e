package main

import (
	"encoding/json"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
)

// report is the document that the program writes; README.md says what its values mean.
type report struct {
	GoVersion      string      `json:"goVersion"`
	Implementation string      `json:"implementation"`
	Seed           int64       `json:"seed"`
	Lookups        uint64      `json:"lookups"`
	CallSites      []*callSite `json:"callSites"`
}

// callSite is the truth about the lookups of one line in maps of one type that ended alike.
type callSite struct {
	Function       string `json:"function"`
	File           string `json:"file"`
	Line           int    `json:"line"`
	Variant        string `json:"variant"`
	Type           string `json:"type"`
	Hit            bool   `json:"hit"`
	Lookups        uint64 `json:"lookups"`
	ProbeLength    counts `json:"probeLength"`
	KeyComparisons counts `json:"keyComparisons"`
	HomePosition   counts `json:"homePosition"`
	LoadFactor     counts `json:"loadFactor"`
	Growing        uint64 `json:"growing"`
	EntriesMax     uint64 `json:"entriesMax"`
	HashIsRandom   bool   `json:"hashIsRandom,omitempty"`
}

// MarshalJSON writes {"value": count, ...} without the values that did not occur.
func (c counts) MarshalJSON() ([]byte, error) {
	var parts []string
	for value, n := range c {
		if n > 0 {
			parts = append(parts, `"`+strconv.Itoa(value)+`":`+strconv.FormatUint(n, 10))
		}
	}
	return []byte("{" + strings.Join(parts, ",") + "}"), nil
}

// newReport sums up all sites.
func newReport(seed int64) *report {
	out := &report{GoVersion: runtime.Version(), Implementation: implementation, Seed: seed}
	for _, s := range sites {
		out.add(s, &s.misses, false)
		out.add(s, &s.hits, true)
	}
	all := out.CallSites
	sort.Slice(all, func(i, j int) bool { return all[i].before(all[j]) })
	out.CallSites = all[:0]
	for _, c := range all {
		if n := len(out.CallSites); n > 0 && !out.CallSites[n-1].before(c) {
			out.CallSites[n-1].merge(c)
		} else {
			out.CallSites = append(out.CallSites, c)
		}
	}
	return out
}

func (r *report) add(s *site, t *tally, hit bool) {
	if t.lookups == 0 {
		return
	}
	r.Lookups += t.lookups
	r.CallSites = append(r.CallSites, &callSite{
		Function: s.function, File: s.file, Line: s.line, Variant: s.variant, Type: s.typeName, Hit: hit,
		Lookups: t.lookups, ProbeLength: t.probeLength, KeyComparisons: t.keyComparisons,
		HomePosition: t.homePosition, LoadFactor: t.loadFactor,
		Growing: t.growing, EntriesMax: t.entriesMax, HashIsRandom: s.hashIsRandom,
	})
}

// before orders call sites; two that are in no order are the same.
func (c *callSite) before(other *callSite) bool {
	if c.File != other.File {
		return c.File < other.File
	}
	if c.Line != other.Line {
		return c.Line < other.Line
	}
	if c.Function != other.Function {
		return c.Function < other.Function
	}
	if c.Type != other.Type {
		return c.Type < other.Type
	}
	if c.Variant != other.Variant {
		return c.Variant < other.Variant
	}
	return !c.Hit && other.Hit
}

func (c *callSite) merge(other *callSite) {
	c.Lookups += other.Lookups
	c.ProbeLength.merge(other.ProbeLength)
	c.KeyComparisons.merge(other.KeyComparisons)
	c.HomePosition.merge(other.HomePosition)
	c.LoadFactor.merge(other.LoadFactor)
	c.Growing += other.Growing
	if other.EntriesMax > c.EntriesMax {
		c.EntriesMax = other.EntriesMax
	}
}

// write puts the document into a file, which is complete as soon as it is there.
func (r *report) write(path string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	temporary := path + ".tmp"
	if err := os.WriteFile(temporary, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
