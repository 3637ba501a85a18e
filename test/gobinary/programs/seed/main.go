// Seed is the program from which the fuzzer's inputs are made: small, with map types of every kind.
package main

type point struct{ x, y int32 }
type mixed struct {
	s string
	f float64
	g float32
	_ int32
	i interface{}
	e error
	a [3]string
	c complex128
	point
}
type large [200]byte
type node struct {
	next *node
	ch   chan int
	fn   func(int) string
	m    map[string]node
}

//go:noinline
func use(values ...interface{}) int { return len(values) }

func lookup(m map[point]string, x int32) string { return m[point{x, x}] }

func main() {
	a := map[string]int{"a": 1}
	b := map[point]string{{1, 2}: "b"}
	c := map[mixed]*point{}
	d := map[interface{}]bool{1: true, "x": true}
	e := map[large]large{}
	f := map[uint32][]byte{1: nil}
	g := map[uint64]struct{}{1: {}}
	h := map[node2]node{}
	println(a["a"], lookup(b, 1), len(c), d["x"], len(e), len(f[1]), len(g), len(h))
	println(use(a, b, c, d, e, f, g, h, mixed{}, large{}, node{}, [2]float32{}, struct{ a, b interface{} }{}))
}

type node2 struct {
	c chan int
	p *node
	b [0]string
	u uint8
	w uint64
}
