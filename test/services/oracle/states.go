package main

// state brings a map into a condition and makes about n lookups meanwhile.
type state struct {
	name string
	run  func(d *driver, n float64)
}

var states = []state{
	{"nil", lookInNil},
	{"empty", lookInEmpty},
	{"small", lookInSmall},
	{"growing", lookInGrowing},
	{"deleted", lookInDeleted},
	{"churned", lookInChurned},
	{"cleared", lookInCleared},
	{"preallocated", lookInPreallocated},
	{"colliding", lookInColliding},
	{"concurrent", lookConcurrently},
	{"deep", lookOnGrownStacks},
}

func lookInNil(d *driver, n float64) {
	d.release()
	d.look(n)
}

func lookInEmpty(d *driver, n float64) {
	d.start(0)
	d.look(n)
}

// lookInSmall stays within one bucket or group, with every number of entries, and with gaps.
func lookInSmall(d *driver, n float64) {
	const rounds = 4
	for round := 0; round < rounds; round++ {
		d.start(0)
		d.forget()
		for entries := 1; entries <= 8; entries++ {
			d.fill(entries, 0)
			d.look(n / rounds / 12)
		}
		for entries := 6; entries > 0; entries -= 2 {
			d.drain(entries, 0)
			d.look(n / rounds / 12)
		}
	}
}

// lookInGrowing looks keys up between insertions, so classic maps are seen in the middle of their growth.
func lookInGrowing(d *driver, n float64) {
	d.start(0)
	d.fill(d.capacity(), n/float64(d.capacity()))
}

// lookInDeleted deletes nearly all entries of a big map and fills it up again.
func lookInDeleted(d *driver, n float64) {
	d.start(0)
	d.fill(d.capacity(), 0)
	few := d.capacity() / 20
	each := n / float64(2*(d.capacity()-few)+1)
	d.drain(few, each)
	d.fill(d.capacity(), each)
}

// lookInChurned replaces entries one by one for long: classic maps pile up overflow buckets until they grow to the same
// size, Swiss maps pile up tombstones.
func lookInChurned(d *driver, n float64) {
	const entries, steps = 100, 4000
	d.start(0)
	d.fill(entries, 0)
	for step := 0; step < steps && d.absent() > 0; step++ {
		d.take(d.somePresent())
		d.put(d.someAbsent())
		d.look(n / steps)
	}
}

// lookInCleared clears maps small and big, and goes on with a few entries in them.
func lookInCleared(d *driver, n float64) {
	for _, entries := range []int{6, d.capacity()} {
		d.start(0)
		d.fill(entries, 0)
		if !clearMap(d.table()) {
			return
		}
		d.forget()
		d.look(n / 8)
		d.fill(5, 0)
		d.look(n * 3 / 8)
		d.drain(0, 0)
	}
}

// lookInPreallocated makes the map with room for its entries.
func lookInPreallocated(d *driver, n float64) {
	entries := d.capacity() / 2
	d.start(entries)
	d.fill(entries, n/float64(entries+1))
}

// lookInColliding fills a map with keys that have the same home: long chains, long probe sequences.
func lookInColliding(d *driver, n float64) {
	const room, most = 400, 60
	if len(d.order) < 10*room {
		return
	}
	class := d.sitesOf().ones.class
	d.start(room)
	d.put(0)
	home := examine(d.table(), d.key(0), class).home
	for key := 1; key < len(d.order) && d.present < most; key++ {
		if examine(d.table(), d.key(key), class).home == home {
			d.put(key)
			d.look(n / most)
		}
	}
	d.look(n)
}
