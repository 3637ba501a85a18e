package main

import (
	"math/rand"
	"strings"
)

// testCase is a piece of work that makes about n lookups.
type testCase struct {
	name string
	run  func(rng *rand.Rand, n float64)
}

// subjectCases are all states of the maps of all subjects, named "map[key]elem/state".
func subjectCases() []testCase {
	var all []testCase
	for _, kind := range subjectKinds {
		kind := kind
		var made subject
		for _, state := range states {
			state := state
			all = append(all, testCase{kind.mapType + "/" + state.name, func(rng *rand.Rand, n float64) {
				if made == nil {
					made = kind.make(kind.universe)
				}
				state.run(newDriver(made, kind.universe, rng), n)
				made.release()
			}})
		}
	}
	return all
}

// sizedCases are maps of many entries.
func sizedCases(name string, entries int, mapTypes ...string) []testCase {
	var all []testCase
	for _, kind := range subjectKinds {
		if !contains(mapTypes, kind.mapType) {
			continue
		}
		kind := kind
		all = append(all, testCase{kind.mapType + "/" + name, func(rng *rand.Rand, n float64) {
			d := newDriver(kind.make(2*entries), 2*entries, rng)
			d.start(0)
			d.fill(entries, n/2/float64(entries))
			d.look(n / 2)
			d.release()
		}})
	}
	return all
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

// allCases are the cases there are. The largest maps are left out unless asked for.
func allCases(million bool) []testCase {
	all := subjectCases()
	all = append(all, sizedCases("large", 100000, "map[int64]int64", "map[uint32]int64", "map[string]int64", "map[person]int64")...)
	if million {
		all = append(all, sizedCases("million", 1000000, "map[int64]int64", "map[shortString]int64")...)
	}
	all = append(all, accessCases...)
	all = append(all, genericCases...)
	return append(all, nanCases...)
}

// chosen are the cases whose names contain one of the patterns, separated by commas; without a pattern all.
func chosen(all []testCase, patterns string) []testCase {
	var some []testCase
	for _, c := range all {
		for _, pattern := range strings.Split(patterns, ",") {
			if strings.Contains(c.name, pattern) {
				some = append(some, c)
				break
			}
		}
	}
	return some
}
