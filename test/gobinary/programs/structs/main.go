// Structs prints, as JSON, the field offsets and sizes of the struct types named in the arguments after the first, from the
// DWARF of the executable that is the first argument.
package main

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/json"
	"log"
	"os"
)

type layout struct {
	Size   int64            `json:"size"`
	Fields map[string]int64 `json:"fields"`
}

func main() {
	file, err := elf.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	data, err := file.DWARF()
	if err != nil {
		log.Fatal(err)
	}
	wanted := map[string]bool{}
	for _, name := range os.Args[2:] {
		wanted[name] = true
	}
	found := map[string]layout{}
	for reader := data.Reader(); ; {
		entry, err := reader.Next()
		if err != nil {
			log.Fatal(err)
		}
		if entry == nil {
			break
		}
		name, _ := entry.Val(dwarf.AttrName).(string)
		if entry.Tag != dwarf.TagStructType || !wanted[name] {
			continue
		}
		size, _ := entry.Val(dwarf.AttrByteSize).(int64)
		fields := map[string]int64{}
		for {
			member, err := reader.Next()
			if err != nil {
				log.Fatal(err)
			}
			if member.Tag == 0 {
				break
			}
			field, _ := member.Val(dwarf.AttrName).(string)
			offset, _ := member.Val(dwarf.AttrDataMemberLoc).(int64)
			fields[field] = offset
		}
		found[name] = layout{size, fields}
	}
	json.NewEncoder(os.Stdout).Encode(found)
}
