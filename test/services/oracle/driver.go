package main

import (
	"math/rand"
)

// driver changes the map of a subject and looks keys up in it.
type driver struct {
	subject
	*population
	number int     // of the last element stored
	owed   float64 // lookups to make
}

func newDriver(s subject, universe int, rng *rand.Rand) *driver {
	return &driver{subject: s, population: newPopulation(rng, universe)}
}

func (d *driver) put(key int) {
	d.number++
	d.insert(key, d.number)
	if !d.has(key) {
		d.add(key)
	}
}

func (d *driver) take(key int) {
	d.remove(key)
	d.drop(key)
}

// fill inserts until the map has n entries, or all keys there are; after each it makes `each` lookups.
func (d *driver) fill(n int, each float64) {
	for d.present < n && d.absent() > 0 {
		d.put(d.someAbsent())
		d.look(each)
	}
}

// drain deletes until the map has n entries; after each it makes `each` lookups.
func (d *driver) drain(n int, each float64) {
	for d.present > n {
		d.take(d.somePresent())
		d.look(each)
	}
}

// look makes n lookups; parts of one add up.
func (d *driver) look(n float64) {
	for d.owed += n; d.owed >= 1; d.owed-- {
		d.lookup()
	}
}

// lookup looks up a key that is there, or one that is not.
func (d *driver) lookup() {
	wantHit := d.rng.Intn(5) < 3
	var key int
	switch {
	case d.present > 0 && (wantHit || d.absent() == 0):
		key = d.somePresent()
	default:
		key = d.someAbsent()
	}
	set := d.rng.Intn(2)
	if d.rng.Intn(2) == 0 {
		d.one(set, key)
	} else {
		d.two(set, key)
	}
}

// capacity is the number of entries that a big map of this subject gets.
func (d *driver) capacity() int {
	if universe := len(d.order); universe > 100 {
		return universe / 2
	}
	return len(d.order)
}
