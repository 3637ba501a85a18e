//go:build ignore

// Writes subjects_generated.go: for every map type a subject with its own lookup lines. Run with `go generate`.
package main

import (
	"bytes"
	"go/format"
	"os"
	"text/template"
)

// key is a key type. Of and Again make key number i, see keys.go; Universe is the number of different keys, 0 for plenty.
type key struct {
	Name, Type, Of, Again string
	Universe              int
}

var keys = []key{
	{Name: "Bool", Type: "bool", Of: "i == 1", Universe: 2},
	{Name: "Int8", Type: "int8", Of: "int8(i)", Universe: 256},
	{Name: "Int16", Type: "int16", Of: "int16(i * 7)"},
	{Name: "Int32", Type: "int32", Of: "int32(scatter32(i))"},
	{Name: "Int64", Type: "int64", Of: "int64(scatter(i))"},
	{Name: "Int", Type: "int", Of: "i"},
	{Name: "Uint8", Type: "uint8", Of: "uint8(i)", Universe: 256},
	{Name: "Uint16", Type: "uint16", Of: "uint16(i)"},
	{Name: "Uint32", Type: "uint32", Of: "uint32(i)"},
	{Name: "Uint64", Type: "uint64", Of: "uint64(i) << 44"},
	{Name: "Uint", Type: "uint", Of: "uint(scatter(i))"},
	{Name: "Uintptr", Type: "uintptr", Of: "uintptr(i) * 8"},
	{Name: "Float32", Type: "float32", Of: "float32(floatKey(i, false))", Again: "float32(floatKey(i, true))"},
	{Name: "Float64", Type: "float64", Of: "floatKey(i, false)", Again: "floatKey(i, true)"},
	{Name: "Complex64", Type: "complex64", Of: "complex64(complexKey(i, false))", Again: "complex64(complexKey(i, true))"},
	{Name: "Complex128", Type: "complex128", Of: "complexKey(i, false)", Again: "complexKey(i, true)"},
	{Name: "Pointer", Type: "*int64", Of: "&objects[i]"},
	{Name: "UnsafePointer", Type: "unsafe.Pointer", Of: "unsafe.Pointer(&objects[i])"},
	{Name: "Chan", Type: "chan int", Of: "channels[i]"},
	{Name: "String", Type: "string", Of: "stringKey(i)"},
	{Name: "ShortString", Type: "shortString", Of: "shortKey(i)"},
	{Name: "MediumString", Type: "mediumString", Of: "mediumKey(i)"},
	{Name: "LongString", Type: "longString", Of: "longKey(i)"},
	{Name: "HugeString", Type: "hugeString", Of: "hugeKey(i)", Universe: 400},
	{Name: "Bytes3", Type: "[3]byte", Of: "[3]byte{byte(i), byte(i >> 8), 7}"},
	{Name: "Bytes4", Type: "[4]byte", Of: "bytes4(i)"},
	{Name: "Bytes8", Type: "[8]byte", Of: "[8]byte{byte(i), 1, 2, byte(i >> 8)}"},
	{Name: "Bytes16", Type: "[16]byte", Of: "[16]byte{byte(i), 1, 2, byte(i >> 8)}"},
	{Name: "Bytes200", Type: "[200]byte", Of: "bytes200(i)"},
	{Name: "Int16s", Type: "[2]int16", Of: "[2]int16{int16(i), -1}"},
	{Name: "Pointers1", Type: "[1]*int64", Of: "[1]*int64{&objects[i]}"},
	{Name: "Strings1", Type: "[1]string", Of: "[1]string{stringKey(i)}"},
	{Name: "Strings2", Type: "[2]string", Of: "[2]string{decimal(i / 3), decimal(i)}"},
	{Name: "Floats2", Type: "[2]float64", Of: "[2]float64{floatKey(i, false), 1}", Again: "[2]float64{floatKey(i, true), 1}"},
	{Name: "Anys2", Type: "[2]interface{}", Of: "[2]interface{}{anyScalar(i), nil}"},
	{Name: "Empty", Type: "struct{}", Of: "struct{}{}", Universe: 1},
	{Name: "Point", Type: "point", Of: "point{int32(i), int32(i / 5)}"},
	{Name: "Triple", Type: "triple", Of: "triple{int64(i), 0, int64(scatter(i))}"},
	{Name: "Couple", Type: "couple", Of: "couple{&objects[i], nil}"},
	{Name: "Padded", Type: "padded", Of: "padded{int8(i), int64(i)}"},
	{Name: "PaddedSmall", Type: "paddedSmall", Of: "paddedSmall{int8(i), int16(i)}"},
	{Name: "PackedSmall", Type: "packedSmall", Of: "packedSmall{int8(i), int8(i >> 8), int16(i)}"},
	{Name: "Blank", Type: "blank", Of: "blankKey(i, false)", Again: "blankKey(i, true)"},
	{Name: "Person", Type: "person", Of: "personKey(i)"},
	{Name: "Holder", Type: "holder", Of: "holderKey(i)"},
	{Name: "Nested", Type: "nested", Of: "nested{point{int32(i), 0}, personKey(i)}"},
	{Name: "Measure", Type: "measure", Of: "measure{floatKey(i, false), 3}", Again: "measure{floatKey(i, true), 3}"},
	{Name: "OnlyString", Type: "onlyString", Of: "onlyString{stringKey(i)}"},
	{Name: "OnlyInt", Type: "onlyInt", Of: "onlyInt{int64(i) * 1001}"},
	{Name: "Wide", Type: "wide", Of: "wideKey(i)"},
	{Name: "Any", Type: "interface{}", Of: "anyKey(i, false)", Again: "anyKey(i, true)"},
	{Name: "AnyDeep", Type: "anyDeep", Of: "anyDeepKey(i)"},
	{Name: "Namer", Type: "namer", Of: "namerKey(i)"},
}

// elem is an element type. Of makes an element from a number that is never 0.
type elem struct{ Name, Type, Of string }

var int64Elem = elem{Name: "Int64", Type: "int64", Of: "int64(number)"}

// otherElems are combined with the keys named in otherElemKeys only.
var otherElems = []elem{
	{Name: "Nothing", Type: "struct{}", Of: "struct{}{}"},
	{Name: "Byte", Type: "byte", Of: "byte(number) | 1"},
	{Name: "Bytes128", Type: "[128]byte", Of: "elem128(number)"},
	{Name: "Bytes129", Type: "[129]byte", Of: "elem129(number)"},
	{Name: "Bytes1024", Type: "[1024]byte", Of: "elem1024(number)"},
	{Name: "Bytes1025", Type: "[1025]byte", Of: "elem1025(number)"},
	{Name: "Bytes2000", Type: "[2000]byte", Of: "elem2000(number)"},
}

var otherElemKeys = map[string]bool{"Int32": true, "Int64": true, "Point": true, "String": true, "Triple": true, "Bytes200": true}

type combination struct {
	Key  key
	Elem elem
}

func combinations() []combination {
	var all []combination
	for _, k := range keys {
		if k.Again == "" {
			k.Again = k.Of
		}
		all = append(all, combination{k, int64Elem})
		if otherElemKeys[k.Name] {
			for _, e := range otherElems {
				all = append(all, combination{k, e})
			}
		}
	}
	return all
}

var source = template.Must(template.New("").Parse(`// Code generated by generate.go; DO NOT EDIT.

package main

import "unsafe"

// subjectKinds are all subjects, by the map type that they look keys up in.
var subjectKinds = []subjectKind{
{{- range .}}
	{"map[{{.Key.Type}}]{{.Elem.Type}}", {{or .Key.Universe "defaultUniverse"}}, newMap{{.Key.Name}}{{.Elem.Name}}},
{{- end}}
}
{{range .}}{{$name := printf "map%s%s" .Key.Name .Elem.Name}}{{$map := printf "map[%s]%s" .Key.Type .Elem.Type}}
type {{$name}} struct {
	lookupSites
	m    {{$map}}
	keys [2][]{{.Key.Type}}
}

func newMap{{.Key.Name}}{{.Elem.Name}}(universe int) subject {
	x := &{{$name}}{lookupSites: newLookupSites({{$map}}(nil))}
	for i := 0; i < universe; i++ {
		x.keys[0] = append(x.keys[0], {{.Key.Of}})
		x.keys[1] = append(x.keys[1], {{.Key.Again}})
	}
	return x
}

func (x *{{$name}}) start(hint int)           { x.m = make({{$map}}, hint) }
func (x *{{$name}}) release()                 { x.m = nil }
func (x *{{$name}}) table() interface{}       { return x.m }
func (x *{{$name}}) key(i int) unsafe.Pointer { return unsafe.Pointer(&x.keys[0][i]) }
func (x *{{$name}}) insert(i, number int)     { x.m[x.keys[0][i]] = {{.Elem.Of}} }
func (x *{{$name}}) remove(i int)             { delete(x.m, x.keys[1][i]) }

func (x *{{$name}}) reader() subject {
	return &{{$name}}{x.lookupSites.fresh(), x.m, x.keys}
}

func (x *{{$name}}) one(set, i int) {
	k := x.keys[set][i]
	v := x.m[k]
	x.ones.check(x.m, unsafe.Pointer(&k), unsafe.Pointer(&v))
}

func (x *{{$name}}) two(set, i int) {
	k := x.keys[set][i]
	v, ok := x.m[k]
	x.twos.checkFound(x.m, unsafe.Pointer(&k), unsafe.Pointer(&v), ok)
}
{{end}}`))

func main() {
	var out bytes.Buffer
	if err := source.Execute(&out, combinations()); err != nil {
		panic(err)
	}
	formatted, err := format.Source(out.Bytes())
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile("subjects_generated.go", formatted, 0o644); err != nil {
		panic(err)
	}
}
