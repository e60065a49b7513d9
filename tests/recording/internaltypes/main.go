// internaltypes prints, as JSON, the types that the API server works with inside. Some messages show a value as
// encoding/json writes the internal type, whose fields mostly have no tags, so are named and ordered as in Go.
//
//	{"core.Toleration": ["Key key string", "Operator operator string", ...], ...}
//
// A type has its fields in their order: "shown name in v1, type, options..." in one text; the name is "-" where the type of
// the same name in the versioned package has no field of the same Go name. A named type that is no struct has one entry
// that starts with "=".
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kubernetes/pkg/api/legacyscheme"

	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/discovery/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
)

var marshaler = reflect.TypeFor[json.Marshaler]()

type table struct {
	types    map[string][]string
	versions map[string]reflect.Type // of versioned structs, by "core.PodSpec"
}

func main() {
	t := table{types: map[string][]string{}, versions: map[string]reflect.Type{}}
	known := legacyscheme.Scheme.AllKnownTypes()
	for kind, goType := range known {
		internal := known[schema.GroupVersionKind{Group: kind.Group, Version: runtime.APIVersionInternal, Kind: kind.Kind}]
		if kind.Version == preferred(kind.Group) && internal != nil && internal.PkgPath() != goType.PkgPath() {
			t.collect(goType, strings.Split(internal.String(), ".")[0])
		}
	}
	for kind, goType := range known {
		if kind.Version == runtime.APIVersionInternal {
			t.reference(goType)
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	if err := encoder.Encode(t.types); err != nil {
		panic(err)
	}
}

func preferred(group string) string {
	return legacyscheme.Scheme.PrioritizedVersionsForGroup(group)[0].Version
}

// collect remembers the versioned structs of a group under the internal package's name.
func (t *table) collect(versioned reflect.Type, prefix string) {
	switch versioned.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		t.collect(versioned.Elem(), prefix)
	case reflect.Struct:
		if strings.Contains(versioned.PkgPath(), "/core/v1") {
			prefix = "core"
		}
		key := prefix + "." + versioned.Name()
		if _, done := t.versions[key]; done {
			return
		}
		t.versions[key] = versioned
		for i := range versioned.NumField() {
			t.collect(versioned.Field(i).Type, prefix)
		}
	}
}

func (t *table) reference(goType reflect.Type) string {
	if goType.PkgPath() != "" {
		name := goType.String()
		if _, done := t.types[name]; !done {
			t.types[name] = nil
			t.types[name] = t.contents(goType, name)
		}
		return name
	}
	switch goType.Kind() {
	case reflect.Pointer:
		return "*" + t.reference(goType.Elem())
	case reflect.Slice:
		return "[]" + t.reference(goType.Elem())
	case reflect.Map:
		return "map[" + t.reference(goType.Key()) + "]" + t.reference(goType.Elem())
	default:
		return goType.Kind().String()
	}
}

func (t *table) contents(goType reflect.Type, name string) []string {
	switch {
	case goType.Implements(marshaler) || reflect.PointerTo(goType).Implements(marshaler):
		return []string{"=!"}
	case goType.Kind() == reflect.Struct:
		return t.fields(goType, t.versions[name])
	case goType.Kind() == reflect.Slice:
		return []string{"=[]" + t.reference(goType.Elem())}
	case goType.Kind() == reflect.Map:
		return []string{"=map[" + t.reference(goType.Key()) + "]" + t.reference(goType.Elem())}
	default:
		return []string{"=" + goType.Kind().String()}
	}
}

func (t *table) fields(goType, versioned reflect.Type) []string {
	found := []string{}
	for i := range goType.NumField() {
		field := goType.Field(i)
		tag, tagged := field.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if field.Anonymous && name == "" {
			found = append(found, t.fields(field.Type, t.embedded(field, versioned))...)
			continue
		}
		if name == "-" || !field.IsExported() {
			continue
		}
		in := name
		if !tagged || name == "" {
			name = field.Name
			in = versionedName(field.Name, versioned)
		}
		words := []string{name, in, t.reference(field.Type)}
		for option := range strings.SplitSeq(options, ",") {
			if option != "" {
				words = append(words, option)
			}
		}
		found = append(found, strings.Join(words, " "))
	}
	return found
}

// embedded is the struct that holds an embedded one's fields in the versioned type, which may have them itself.
func (t *table) embedded(field reflect.StructField, versioned reflect.Type) reflect.Type {
	if versioned == nil {
		return nil
	}
	if found, ok := versioned.FieldByName(field.Name); ok {
		return found.Type
	}
	return versioned
}

func versionedName(goName string, versioned reflect.Type) string {
	if versioned == nil {
		return "-"
	}
	field, ok := versioned.FieldByName(goName)
	if !ok {
		return "-"
	}
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	if name == "" {
		return "-"
	}
	return name
}
