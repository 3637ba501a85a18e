package main

import "math/rand"

// population knows which keys of a universe are in the map, without a map of its own, and picks among them.
type population struct {
	rng *rand.Rand
	// order holds all keys, those present first; place says where in it each key is.
	order   []int
	place   []int
	present int
}

func newPopulation(rng *rand.Rand, universe int) *population {
	p := &population{rng: rng, order: rng.Perm(universe), place: make([]int, universe)}
	for at, key := range p.order {
		p.place[key] = at
	}
	return p
}

func (p *population) absent() int { return len(p.order) - p.present }

func (p *population) somePresent() int { return p.order[p.rng.Intn(p.present)] }

func (p *population) someAbsent() int { return p.order[p.present+p.rng.Intn(p.absent())] }

func (p *population) has(key int) bool { return p.place[key] < p.present }

func (p *population) add(key int) {
	p.swap(p.place[key], p.present)
	p.present++
}

func (p *population) drop(key int) {
	p.present--
	p.swap(p.place[key], p.present)
}

// forget makes all keys absent.
func (p *population) forget() { p.present = 0 }

func (p *population) swap(a, b int) {
	p.order[a], p.order[b] = p.order[b], p.order[a]
	p.place[p.order[a]], p.place[p.order[b]] = a, b
}
