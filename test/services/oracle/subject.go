package main

import "unsafe"

//go:generate go run generate.go

// defaultUniverse is the number of different keys of a subject whose key type has plenty.
const defaultUniverse = 4000

// subject is a map of one type, the keys to use with it, and two lines of its own that look keys up.
type subject interface {
	// start makes a new map, release leaves none (nil).
	start(hint int)
	release()
	// table is the map.
	table() interface{}
	// key points to key number i.
	key(i int) unsafe.Pointer
	// insert stores an element made from a number that is never 0 under key number i.
	insert(i, number int)
	remove(i int)
	// one and two look key number i up and ask for one result or for two. Set 0 are the keys inserted, set 1 are keys that
	// are equal to them but other copies.
	one(set, i int)
	two(set, i int)
	// sitesOf are the sites of one and two.
	sitesOf() lookupSites
	// reader is a subject that reads the same map, with sites of its own, for another goroutine.
	reader() subject
}

type subjectKind struct {
	mapType  string
	universe int
	make     func(universe int) subject
}

// lookupSites are the sites of a subject's two lookup lines.
type lookupSites struct{ ones, twos *site }

func newLookupSites(like interface{}) lookupSites {
	return lookupSites{newSite(like, false), newSite(like, true)}
}

func (l lookupSites) sitesOf() lookupSites { return l }

func (l lookupSites) fresh() lookupSites { return lookupSites{l.ones.fresh(), l.twos.fresh()} }
