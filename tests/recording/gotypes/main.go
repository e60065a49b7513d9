// gotypes prints, as JSON, what Go knows of the types that the API server decodes requests into: the names that its error
// messages use, the fields of the structs and how encoding/json is told to treat them. No OpenAPI document says that.
//
//	{"kinds": {"apps/v1 Deployment": ["io.k8s.api.apps.v1.Deployment", "apps.Deployment"], ...},
//	 "types": {"io.k8s.api.apps.v1.DeploymentSpec": ["v1.DeploymentSpec", "replicas *int32 omitempty", ...], ...}}
//
// A kind has its definition and the name of the type that the server works with inside. A type has the name that Go prints;
// a struct then has its fields in their order: "name type options...", where in=VolumeSource names an embedded struct that has
// the field, patch=merge and key=name say how strategic merge patches treat it; any other type has one entry that starts with
// "=": what it is made of ("=string", "=map[string]string"), or "=!" and the name of the type for those that decode
// themselves ("=!Quantity").
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/install"
	"k8s.io/kubernetes/pkg/api/legacyscheme"

	_ "k8s.io/kubernetes/pkg/apis/admission/install"
	_ "k8s.io/kubernetes/pkg/apis/admissionregistration/install"
	_ "k8s.io/kubernetes/pkg/apis/apiserverinternal/install"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/authentication/install"
	_ "k8s.io/kubernetes/pkg/apis/authorization/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/certificates/install"
	_ "k8s.io/kubernetes/pkg/apis/coordination/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/discovery/install"
	_ "k8s.io/kubernetes/pkg/apis/events/install"
	_ "k8s.io/kubernetes/pkg/apis/extensions/install"
	_ "k8s.io/kubernetes/pkg/apis/flowcontrol/install"
	_ "k8s.io/kubernetes/pkg/apis/imagepolicy/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/node/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	_ "k8s.io/kubernetes/pkg/apis/resource/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
	_ "k8s.io/kubernetes/pkg/apis/storagemigration/install"
)

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

type table struct {
	Kinds map[string][]string `json:"kinds"`
	Types map[string][]string `json:"types"`
}

func main() {
	apiextensions.Install(legacyscheme.Scheme)
	apiregistration.Install(legacyscheme.Scheme)
	result := table{Kinds: map[string][]string{}, Types: map[string][]string{}}
	known := legacyscheme.Scheme.AllKnownTypes()
	for kind, goType := range known {
		if kind.Version != runtime.APIVersionInternal {
			key := fmt.Sprintf("%s %s", kind.GroupVersion(), kind.Kind)
			result.Kinds[key] = []string{result.reference(goType), internalName(known, kind)}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		panic(err)
	}
}

// internalName names the type of a kind within the server, which all versions are converted to and from.
func internalName(known map[schema.GroupVersionKind]reflect.Type, kind schema.GroupVersionKind) string {
	internal, ok := known[schema.GroupKind{Group: kind.Group, Kind: kind.Kind}.WithVersion(runtime.APIVersionInternal)]
	if !ok {
		return ""
	}
	return internal.String()
}

// definitionName is the name in the OpenAPI documents, or, for a type that they do not name, one made in the same way.
func definitionName(t reflect.Type) string {
	if model, ok := reflect.New(t).Interface().(interface{ OpenAPIModelName() string }); ok {
		return model.OpenAPIModelName()
	}
	return strings.NewReplacer("k8s.io/", "io.k8s.", "/", ".").Replace(t.PkgPath()) + "." + t.Name()
}

// reference describes a type where it is used, and adds it to the table if it has a name.
func (r *table) reference(t reflect.Type) string {
	if t.PkgPath() != "" {
		name := definitionName(t)
		if _, done := r.Types[name]; !done {
			r.Types[name] = []string{t.String()} // a type may contain itself
			r.Types[name] = append(r.Types[name], r.contents(t)...)
		}
		return name
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + r.reference(t.Elem())
	case reflect.Slice:
		return "[]" + r.reference(t.Elem())
	case reflect.Map:
		return "map[" + r.reference(t.Key()) + "]" + r.reference(t.Elem())
	case reflect.Interface:
		return "any"
	default:
		return t.String()
	}
}

func (r *table) contents(t reflect.Type) []string {
	switch {
	case reflect.PointerTo(t).Implements(unmarshaler):
		return []string{"=!" + t.Name()}
	case t.Kind() == reflect.Struct:
		return r.fields(t, "")
	case t.Kind() == reflect.Slice:
		return []string{"=[]" + r.reference(t.Elem())}
	case t.Kind() == reflect.Map:
		return []string{"=map[" + r.reference(t.Key()) + "]" + r.reference(t.Elem())}
	case t.Kind() == reflect.Interface:
		return []string{"=any"}
	default:
		return []string{"=" + t.Kind().String()}
	}
}

func (r *table) fields(t reflect.Type, embedded string) []string {
	var found []string
	for i := range t.NumField() {
		field := t.Field(i)
		tag, tagged := field.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case name == "-" || !field.IsExported():
		case field.Anonymous && name == "":
			if field.Type.Kind() != reflect.Struct {
				panic(fmt.Sprintf("%v embeds %v", t, field.Type))
			}
			found = append(found, r.fields(field.Type, strings.TrimPrefix(embedded+"."+field.Name, "."))...)
		default:
			if !tagged || name == "" {
				name = field.Name
			}
			words := []string{name, r.reference(field.Type)}
			for option := range strings.SplitSeq(options, ",") {
				if option != "" && option != "inline" {
					words = append(words, option)
				}
			}
			for _, each := range [][2]string{
				{"in", embedded}, {"patch", field.Tag.Get("patchStrategy")}, {"key", field.Tag.Get("patchMergeKey")},
			} {
				if each[1] != "" {
					words = append(words, each[0]+"="+each[1])
				}
			}
			found = append(found, strings.Join(words, " "))
		}
	}
	return found
}
