package main

// The key types of this program's own. What a map of them is read by follows from the shape of the type.

// Strings of different lengths; the names keep their map types, and so their truth, apart.
type (
	shortString  string // up to 31 bytes
	mediumString string // 32 to 64 bytes
	longString   string // 65 to 200 bytes
	hugeString   string // more than 1024 bytes
)

type (
	// point is plain memory of 8 bytes.
	point struct{ x, y int32 }
	// triple is plain memory of 24 bytes.
	triple struct{ a, b, c int64 }
	// couple is plain memory of 16 bytes, with pointers.
	couple struct{ a, b *int64 }
	// padded has padding between its fields.
	padded struct {
		a int8
		b int64
	}
	// paddedSmall has padding and is 4 bytes long.
	paddedSmall struct {
		a int8
		b int16
	}
	// packedSmall is plain memory of 4 bytes.
	packedSmall struct {
		a, b int8
		c    int16
	}
	// blank has a field that neither counts for equality nor for the hash.
	blank struct {
		a int32
		_ int32
		b int32
	}
	// person holds a string.
	person struct {
		name string
		age  int
	}
	// holder holds an interface.
	holder struct {
		v interface{}
		n int8
	}
	// nested holds structs.
	nested struct {
		p   point
		who person
	}
	// measure holds a float.
	measure struct {
		v float64
		n int32
	}
	// onlyString and onlyInt are compared like their only field.
	onlyString struct{ s string }
	onlyInt    struct{ n int64 }
	// wide does not fit into a slot: the map stores a pointer to it.
	wide struct {
		name string
		rest [160]byte
	}
)

// anyDeep holds values that hold interfaces themselves.
type anyDeep interface{}

// namer is an interface with a method.
type namer interface{ name() string }

type namerByValue struct{ n int64 }

func (v namerByValue) name() string { return "value" }

type namerByPointer struct{ n int64 }

func (p *namerByPointer) name() string { return "pointer" }

type namerOfString string

func (s namerOfString) name() string { return string(s) }
