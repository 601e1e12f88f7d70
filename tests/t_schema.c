#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/schema.h"
#include "json.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

enum what { TOOL, GEMINI, PARAMETERS, JSON, OUTPUT };

#define P(x) "{\"type\":\"object\",\"properties\":{" x "}}"
#define GP(x) "{\"type\":\"OBJECT\",\"properties\":{" x "}}"
#define STR "{\"type\":\"STRING\"}"
#define INT "{\"type\":\"INTEGER\"}"
#define NUM "{\"type\":\"NUMBER\"}"
#define OBJ "{\"type\":\"OBJECT\"}"
#define NONE "none"

static const struct {
	enum what what;
	const char *rule;
	const char *in;		/* NULL: no schema */
	const char *out;
} rows[] = {
	/* S-T */
	{ TOOL, "S-T no schema", NULL,
	    "{\"type\":\"object\",\"properties\":{}}" },
	{ TOOL, "S-T no object", "true",
	    "{\"type\":\"object\",\"properties\":{}}" },
	{ TOOL, "S-T type set", "{\"type\":\"string\"}",
	    "{\"type\":\"object\",\"properties\":{}}" },
	{ TOOL, "S-T order, unknown members",
	    "{\"x\":[1, 2.0],\"type\":\"object\",\"properties\":"
	    "{\"a\":{\"not\":{}}},\"required\":[\"a\"],\"title\":\"t\"}",
	    "{\"x\":[1, 2.0],\"type\":\"object\",\"properties\":"
	    "{\"a\":{\"not\":{}}},\"required\":[\"a\"],\"title\":\"t\"}" },
	{ TOOL, "S-T removed", "{\"$schema\":\"s\",\"not\":{},\"enum\":[1],"
	    "\"type\":\"object\",\"properties\":{}}",
	    "{\"type\":\"object\",\"properties\":{}}" },
	{ TOOL, "S-T properties null", "{\"properties\":null}",
	    "{\"type\":\"object\",\"properties\":{}}" },
	{ TOOL, "S-T last of equal names", "{\"title\":\"a\",\"required\":"
	    "[],\"title\":\"b\",\"required\":[\"x\"]}",
	    "{\"type\":\"object\",\"title\":\"b\",\"required\":[\"x\"],"
	    "\"properties\":{}}" },
	{ TOOL, "S-T anyOf, oneOf", "{\"type\":\"object\",\"oneOf\":["
	    "{\"properties\":{\"c\":3,\"b\":9}}],\"properties\":{\"a\":1},"
	    "\"anyOf\":[{\"properties\":{\"a\":9,\"b\":2},"
	    "\"required\":[\"b\"]},true,{\"properties\":{\"b\":9}}]}",
	    "{\"type\":\"object\",\"properties\":{\"a\":1,\"b\":2,"
	    "\"c\":3}}" },
	{ TOOL, "S-T anyOf of a $ref", "{\"anyOf\":[{\"$ref\":\"#/$defs/x\"}"
	    "],\"$defs\":{\"x\":{\"properties\":{\"a\":1}}}}",
	    "{\"type\":\"object\",\"$defs\":{\"x\":{\"properties\":"
	    "{\"a\":1}}},\"properties\":{\"a\":1}}" },
	{ TOOL, "S-T $ref stays", "{\"$ref\":\"#/x\"}",
	    "{\"type\":\"object\",\"$ref\":\"#/x\",\"properties\":{}}" },
	{ TOOL, "S-M", "{\"type\":\"object\",\"allOf\":["
	    "{\"properties\":{\"a\":9,\"b\":2},\"required\":[\"b\",\"a\"],"
	    "\"title\":\"t\",\"$schema\":\"s\"},"
	    "{\"properties\":{\"c\":3},\"title\":\"u\",\"x\":1}],"
	    "\"properties\":{\"a\":1},\"required\":[\"a\"]}",
	    "{\"type\":\"object\",\"properties\":{\"a\":1,\"b\":2,\"c\":3},"
	    "\"required\":[\"a\",\"b\"],\"title\":\"t\",\"x\":1}" },
	{ TOOL, "S-M nested, $ref", "{\"allOf\":[{\"allOf\":["
	    "{\"properties\":{\"a\":1}}],\"title\":\"t\"},"
	    "{\"$ref\":\"#/$defs/x\",\"description\":\"mine\"}],\"$defs\":"
	    "{\"x\":{\"description\":\"x\",\"properties\":{\"b\":2},"
	    "\"y\":0}}}",
	    "{\"type\":\"object\",\"$defs\":{\"x\":{\"description\":\"x\","
	    "\"properties\":{\"b\":2},\"y\":0}},\"title\":\"t\","
	    "\"properties\":{\"a\":1,\"b\":2},\"description\":\"mine\","
	    "\"y\":0}" },
	{ TOOL, "S-M cycle", "{\"allOf\":[{\"$ref\":\"#\"}],\"title\":1}",
	    "{\"type\":\"object\",\"title\":1,\"properties\":{}}" },
	/* S-G */
	{ GEMINI, "S-G1 true", "true", STR },
	{ GEMINI, "S-G1 number", "7", STR },
	{ GEMINI, "S-G1 none", NULL, STR },
	{ GEMINI, "S-G2 siblings over the target",
	    "{\"$ref\":\"#/$defs/x\",\"description\":\"d\",\"$defs\":{\"x\":"
	    "{\"type\":\"integer\",\"description\":\"x\"}}}",
	    "{\"type\":\"INTEGER\",\"description\":\"d\"}" },
	{ GEMINI, "S-G2 escapes of a pointer",
	    "{\"$ref\":\"#/d%65fs/a~1b~0c\",\"defs\":{\"a/b~c\":"
	    "{\"type\":\"integer\"}}}", INT },
	{ GEMINI, "S-G2 element", "{\"$ref\":\"#/x/1\",\"x\":[{},"
	    "{\"type\":\"integer\"}]}", INT },
	{ GEMINI, "S-G2 chain", "{\"$ref\":\"#/a\",\"a\":{\"$ref\":\"#/b\"},"
	    "\"b\":{\"type\":\"integer\"}}", INT },
	{ GEMINI, "S-G2 recursion", "{\"$ref\":\"#/$defs/n\",\"$defs\":"
	    "{\"n\":{\"type\":\"object\",\"properties\":{\"next\":"
	    "{\"$ref\":\"#/$defs/n\"}}}}}",
	    GP("\"next\":{\"type\":\"OBJECT\",\"description\":"
	    "\"Recursive reference to n\"}") },
	{ GEMINI, "S-G2 recursion that may be null",
	    "{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"type\":\"object\","
	    "\"properties\":{\"next\":{\"anyOf\":[{\"$ref\":\"#/$defs/n\"},"
	    "{\"type\":\"null\"}]}}}}}",
	    GP("\"next\":{\"type\":\"OBJECT\",\"description\":"
	    "\"Recursive reference to n\",\"nullable\":true}") },
	{ GEMINI, "S-G2 of itself", "{\"$ref\":\"#\"}",
	    "{\"type\":\"OBJECT\",\"description\":"
	    "\"Recursive reference to #\"}" },
	{ GEMINI, "S-G2 twice side by side", "{\"properties\":{\"a\":"
	    "{\"$ref\":\"#/d\"},\"b\":{\"$ref\":\"#/d\"}},\"d\":"
	    "{\"type\":\"integer\"}}", GP("\"a\":" INT ",\"b\":" INT) },
	{ GEMINI, "S-G2 leads nowhere",
	    "{\"$ref\":\"http://x/y\",\"description\":\"d\","
	    "\"type\":\"object\"}",
	    "{\"type\":\"STRING\",\"description\":\"d\"}" },
	{ GEMINI, "S-G2 nothing there", "{\"$ref\":\"#/none\"}", STR },
	{ GEMINI, "S-G2 an anchor", "{\"$ref\":\"#none\"}", STR },
	{ GEMINI, "S-G2 no string", "{\"$ref\":1,\"type\":\"object\"}", STR },
	{ GEMINI, "S-G3 allOf", "{\"allOf\":[{\"type\":\"object\","
	    "\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":"
	    "[\"a\"]},{\"$ref\":\"#/$defs/b\"}],\"required\":[\"b\"],"
	    "\"$defs\":{\"b\":{\"properties\":{\"b\":true,\"a\":true}}}}",
	    "{\"type\":\"OBJECT\",\"properties\":{\"a\":" INT ",\"b\":" STR
	    "},\"required\":[\"b\",\"a\"]}" },
	{ GEMINI, "S-G3 allOf of one base twice",
	    "{\"allOf\":[{\"$ref\":\"#/b\"},{\"$ref\":\"#/b\"}],\"b\":"
	    "{\"type\":\"integer\"}}", INT },
	{ GEMINI, "S-G3 allOf in a circle", "{\"$ref\":\"#/a\",\"a\":"
	    "{\"type\":\"object\",\"properties\":{\"x\":{\"allOf\":["
	    "{\"$ref\":\"#/a\"}]}}}}",
	    GP("\"x\":{\"type\":\"OBJECT\",\"description\":"
	    "\"Recursive reference to a\"}") },
	{ GEMINI, "S-G3 const", "{\"const\":\"c\"}",
	    "{\"type\":\"STRING\",\"enum\":[\"c\"]}" },
	{ GEMINI, "S-G3 const number", "{\"const\":5}",
	    "{\"type\":\"INTEGER\",\"description\":\"Allowed values: 5\"}" },
	{ GEMINI, "S-G3 const null", "{\"const\":null}",
	    "{\"type\":\"STRING\",\"nullable\":true}" },
	{ GEMINI, "S-G4 one and null", "{\"oneOf\":[{\"type\":\"null\"},"
	    "{\"type\":\"integer\",\"description\":\"in\"}],"
	    "\"description\":\"out\"}",
	    "{\"type\":\"INTEGER\",\"description\":\"out\","
	    "\"nullable\":true}" },
	{ GEMINI, "S-G4 one that is a $ref", "{\"anyOf\":[{\"$ref\":"
	    "\"#/x\"},{\"type\":\"null\"}],\"x\":{\"type\":\"integer\"}}",
	    "{\"type\":\"INTEGER\",\"nullable\":true}" },
	{ GEMINI, "S-G4 one in one", "{\"anyOf\":[{\"anyOf\":[{\"type\":"
	    "\"integer\"},{\"type\":\"null\"}]}]}",
	    "{\"type\":\"INTEGER\",\"nullable\":true}" },
	{ GEMINI, "S-G4 several", "{\"type\":\"object\",\"properties\":"
	    "{\"a\":true},\"description\":\"d\",\"anyOf\":[true,"
	    "{\"type\":\"integer\",\"description\":\"mine\"}]}",
	    "{\"anyOf\":[{\"type\":\"STRING\",\"description\":\"d\"},"
	    "{\"type\":\"INTEGER\",\"description\":\"mine\"}]}" },
	{ GEMINI, "S-G4 several and null", "{\"anyOf\":[true,{\"type\":"
	    "\"null\"},{\"type\":[\"integer\",\"number\"]}],"
	    "\"description\":\"d\"}",
	    "{\"anyOf\":[{\"type\":\"STRING\",\"description\":\"d\","
	    "\"nullable\":true},{\"anyOf\":[" INT "," NUM "]}]}" },
	{ GEMINI, "S-G4 anyOf before oneOf", "{\"oneOf\":[true,true],"
	    "\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}",
	    "{\"anyOf\":[" INT "," NUM "]}" },
	{ GEMINI, "S-G4 nothing but null", "{\"anyOf\":[{\"type\":\"null\"}]"
	    "}", "{\"type\":\"STRING\",\"nullable\":true}" },
	{ GEMINI, "S-G4 empty", "{\"type\":\"integer\",\"anyOf\":[]}", INT },
	{ GEMINI, "S-G5 null", "{\"type\":[\"null\",\"integer\"]}",
	    "{\"type\":\"INTEGER\",\"nullable\":true}" },
	{ GEMINI, "S-G5 several", "{\"type\":[\"string\",\"integer\","
	    "\"null\"],\"enum\":[\"a\",1],\"minimum\":3,"
	    "\"description\":\"d\"}",
	    "{\"anyOf\":[{\"type\":\"STRING\",\"description\":\"d\","
	    "\"nullable\":true},{\"type\":\"INTEGER\",\"minimum\":3,"
	    "\"description\":\"d\",\"nullable\":true}]}" },
	{ GEMINI, "S-G5 repeated", "{\"type\":[\"integer\",\"integer\"]}",
	    INT },
	{ GEMINI, "S-G5 type null", "{\"type\":\"null\"}",
	    "{\"type\":\"STRING\",\"nullable\":true}" },
	{ GEMINI, "S-G6 properties", "{\"properties\":{\"a\":true}}",
	    GP("\"a\":" STR) },
	{ GEMINI, "S-G6 additionalProperties",
	    "{\"type\":\"map\",\"additionalProperties\":{}}", OBJ },
	{ GEMINI, "S-G6 items", "{\"items\":{\"type\":\"integer\"}}",
	    "{\"type\":\"ARRAY\",\"items\":" INT "}" },
	{ GEMINI, "S-G6 prefixItems", "{\"prefixItems\":[true]}",
	    "{\"type\":\"ARRAY\",\"items\":" STR "}" },
	{ GEMINI, "S-G6 integers", "{\"enum\":[1,2.0]}",
	    "{\"type\":\"INTEGER\",\"description\":"
	    "\"Allowed values: 1, 2.0\"}" },
	{ GEMINI, "S-G6 numbers", "{\"enum\":[1,2.5]}",
	    "{\"type\":\"NUMBER\",\"description\":"
	    "\"Allowed values: 1, 2.5\"}" },
	{ GEMINI, "S-G6 booleans", "{\"enum\":[true,false]}",
	    "{\"type\":\"BOOLEAN\"}" },
	{ GEMINI, "S-G6 mixed", "{\"enum\":[1,true]}",
	    "{\"type\":\"STRING\",\"enum\":[\"1\",\"true\"]}" },
	{ GEMINI, "S-G6 capitals", "{\"type\":\"Integer\"}", INT },
	{ GEMINI, "S-G7 strings", "{\"type\":\"string\",\"enum\":[\"a\",\"\","
	    "1.50,\"a\",null,true,{\"k\": [\"v\"]},\"\\u0061\"]}",
	    "{\"type\":\"STRING\",\"enum\":[\"a\",\"1.50\",\"true\","
	    "\"{\\\"k\\\":[\\\"v\\\"]}\"],\"nullable\":true}" },
	{ GEMINI, "S-G7 nothing left", "{\"type\":\"string\",\"enum\":[\"\"]"
	    "}", STR },
	{ GEMINI, "S-G7 numbers", "{\"type\":\"number\",\"enum\":[1,null,2],"
	    "\"description\":\"d\"}",
	    "{\"type\":\"NUMBER\",\"description\":"
	    "\"d Allowed values: 1, 2\",\"nullable\":true}" },
	{ GEMINI, "S-G7 booleans", "{\"type\":\"boolean\",\"enum\":[true]}",
	    "{\"type\":\"BOOLEAN\"}" },
	{ GEMINI, "S-G8 string", "{\"type\":\"string\",\"format\":"
	    "\"date-time\",\"minLength\":1,\"maxLength\":2,\"pattern\":"
	    "\"^\\\\d\",\"minimum\":3}",
	    "{\"type\":\"STRING\",\"format\":\"date-time\",\"minLength\":1,"
	    "\"maxLength\":2,\"pattern\":\"^\\\\d\"}" },
	{ GEMINI, "S-G8 other format", "{\"type\":\"string\",\"format\":"
	    "\"uri\",\"minLength\":\"1\"}", STR },
	{ GEMINI, "S-G8 integer", "{\"type\":\"integer\",\"format\":\"int64\""
	    ",\"minimum\":-1.0,\"maximum\":1e3}",
	    "{\"type\":\"INTEGER\",\"format\":\"int64\",\"minimum\":-1.0,"
	    "\"maximum\":1e3}" },
	{ GEMINI, "S-G8 number", "{\"type\":\"number\",\"format\":\"double\","
	    "\"exclusiveMinimum\":0.5,\"exclusiveMaximum\":2}",
	    "{\"type\":\"NUMBER\",\"format\":\"double\",\"minimum\":0.5,"
	    "\"maximum\":2}" },
	{ GEMINI, "S-G8 int64 on number", "{\"type\":\"number\",\"format\":"
	    "\"int64\"}", NUM },
	{ GEMINI, "S-G8 exclusive", "{\"type\":\"integer\","
	    "\"exclusiveMinimum\":-1,\"exclusiveMaximum\":0}",
	    "{\"type\":\"INTEGER\",\"minimum\":0,\"maximum\":-1}" },
	{ GEMINI, "S-G8 exclusive fraction", "{\"type\":\"integer\","
	    "\"exclusiveMinimum\":-0.5,\"exclusiveMaximum\":7.5}",
	    "{\"type\":\"INTEGER\",\"minimum\":0,\"maximum\":7}" },
	{ GEMINI, "S-G8 exclusive, huge", "{\"type\":\"integer\","
	    "\"exclusiveMaximum\":12345678901234567890}",
	    "{\"type\":\"INTEGER\",\"maximum\":12345678901234567890}" },
	{ GEMINI, "S-G8 both", "{\"type\":\"integer\",\"minimum\":4,"
	    "\"exclusiveMinimum\":9,\"exclusiveMaximum\":true}",
	    "{\"type\":\"INTEGER\",\"minimum\":4}" },
	{ GEMINI, "S-G9 array", "{\"type\":\"array\",\"minItems\":1,"
	    "\"maxItems\":2,\"uniqueItems\":true,\"items\":{\"type\":"
	    "\"integer\"}}",
	    "{\"type\":\"ARRAY\",\"minItems\":1,\"maxItems\":2,\"items\":"
	    INT "}" },
	{ GEMINI, "S-G9 tuple", "{\"type\":\"array\",\"prefixItems\":[true,"
	    "{\"type\":\"integer\"}],\"items\":false}",
	    "{\"type\":\"ARRAY\",\"items\":{\"anyOf\":[" STR "," INT "]}}" },
	{ GEMINI, "S-G9 tuple in items", "{\"type\":\"array\",\"items\":["
	    "{\"type\":\"integer\"}]}",
	    "{\"type\":\"ARRAY\",\"items\":" INT "}" },
	{ GEMINI, "S-G9 no items", "{\"type\":\"array\"}",
	    "{\"type\":\"ARRAY\",\"items\":" STR "}" },
	{ GEMINI, "S-G9 empty items", "{\"type\":\"array\",\"items\":[],"
	    "\"prefixItems\":[]}", "{\"type\":\"ARRAY\",\"items\":" STR "}" },
	{ GEMINI, "S-G10 object", "{\"type\":\"object\",\"minProperties\":1,"
	    "\"maxProperties\":2,\"properties\":{\"a\":true,\"$id\":true,"
	    "\"a\":{\"type\":\"integer\"}},\"required\":[\"$id\",\"b\","
	    "\"$id\",3]}",
	    "{\"type\":\"OBJECT\",\"minProperties\":1,\"maxProperties\":2,"
	    "\"properties\":{\"a\":" INT ",\"$id\":" STR "},"
	    "\"required\":[\"$id\"]}" },
	{ GEMINI, "S-G10 no properties", "{\"type\":\"object\",\"properties\""
	    ":{},\"required\":[\"a\"]}", OBJ },
	{ GEMINI, "S-G11 the rest", "{\"type\":\"string\",\"title\":\"t\","
	    "\"default\":1,\"examples\":[],\"not\":{},\"if\":{},"
	    "\"multipleOf\":2,\"patternProperties\":{},\"x-y\":0,"
	    "\"$schema\":\"s\",\"$defs\":{},\"description\":\"\","
	    "\"nullable\":true}",
	    "{\"type\":\"STRING\",\"nullable\":true}" },
	{ GEMINI, "S-G11 null is absent", "{\"type\":null,\"properties\":"
	    "null,\"description\":null}", STR },
	{ PARAMETERS, "S-G parameters", P("\"a\":true"), GP("\"a\":" STR) },
	{ PARAMETERS, "S-G no properties", P(""), NONE },
	{ PARAMETERS, "S-G no object", "{\"type\":\"string\"}", NONE },
	{ PARAMETERS, "S-G no schema", NULL, NONE },
	{ PARAMETERS, "S-G a union", "{\"anyOf\":[" P("\"a\":true") ","
	    P("\"b\":true") "]}", NONE },
	/* S-J */
	{ JSON, "S-J types", "{\"type\":\"OBJECT\",\"properties\":{\"Type\":"
	    "{\"type\":\"STRING\"}},\"propertyOrdering\":[\"Type\"],"
	    "\"example\":{},\"title\":\"T\"}",
	    "{\"type\":\"object\",\"properties\":{\"Type\":{\"type\":"
	    "\"string\"}},\"title\":\"T\"}" },
	{ JSON, "S-J nullable", "{\"type\":\"INTEGER\",\"nullable\":true}",
	    "{\"type\":[\"integer\",\"null\"]}" },
	{ JSON, "S-J not nullable", "{\"type\":\"INTEGER\","
	    "\"nullable\":false}", "{\"type\":\"integer\"}" },
	{ JSON, "S-J list of types", "{\"nullable\":true,\"type\":[\"STRING\""
	    ",\"NULL\"]}", "{\"type\":[\"string\",\"null\"]}" },
	{ JSON, "S-J no type", "{\"type\":\"TYPE_UNSPECIFIED\",\"nullable\":"
	    "true}", "{}" },
	{ JSON, "S-J format", "{\"format\":\"enum\",\"enum\":[\"A\"]}",
	    "{\"enum\":[\"A\"]}" },
	{ JSON, "S-J other format", "{\"format\":\"int32\"}",
	    "{\"format\":\"int32\"}" },
	{ JSON, "S-J bounds", "{\"minItems\":\"1\",\"maxLength\":\"99\","
	    "\"minimum\":2,\"maximum\":\"x\",\"pattern\":\"7\"}",
	    "{\"minItems\":1,\"maxLength\":99,\"minimum\":2,\"maximum\":"
	    "\"x\",\"pattern\":\"7\"}" },
	{ JSON, "S-J deeper", "{\"items\":{\"type\":\"STRING\"},\"anyOf\":["
	    "{\"type\":\"NUMBER\"},1],\"properties\":{\"nullable\":"
	    "{\"type\":\"BOOLEAN\",\"nullable\":true}}}",
	    "{\"items\":{\"type\":\"string\"},\"anyOf\":[{\"type\":"
	    "\"number\"},1],\"properties\":{\"nullable\":{\"type\":["
	    "\"boolean\",\"null\"]}}}" },
	{ JSON, "S-J no schema", NULL, "{}" },
	{ JSON, "S-J no object", "[1]", "[1]" },
	/* S-A */
	{ OUTPUT, "S-A objects", "{\"type\":\"object\",\"properties\":{"
	    "\"default\":{\"type\":[\"object\",\"null\"],"
	    "\"additionalProperties\":true}},\"additionalProperties\":{}}",
	    "{\"type\":\"object\",\"properties\":{\"default\":{\"type\":["
	    "\"object\",\"null\"],\"additionalProperties\":false}},"
	    "\"additionalProperties\":false}" },
	{ OUTPUT, "S-A unions", "{\"oneOf\":[{\"type\":\"string\"},"
	    "{\"properties\":{}}]}", "{\"anyOf\":[{\"type\":\"string\"},"
	    "{\"properties\":{},\"additionalProperties\":false}]}" },
	{ OUTPUT, "S-A minItems", "{\"items\":[{\"minItems\":0},{\"minItems\""
	    ":1.0},{\"minItems\":2},{\"minItems\":0.5},{\"minItems\":\"1\"}]"
	    "}", "{\"items\":[{\"minItems\":0},{\"minItems\":1.0},{},{},{}]"
	    "}" },
	{ OUTPUT, "S-A formats", "{\"anyOf\":[{\"format\":\"uuid\"},"
	    "{\"format\":\"int32\"},{\"format\":1}]}",
	    "{\"anyOf\":[{\"format\":\"uuid\"},{},{}]}" },
	{ OUTPUT, "S-A dropped", "{\"$schema\":1,\"$id\":1,\"$comment\":1,"
	    "\"default\":1,\"examples\":1,\"minimum\":1,\"maximum\":1,"
	    "\"exclusiveMinimum\":1,\"exclusiveMaximum\":1,\"multipleOf\":1,"
	    "\"minLength\":1,\"maxLength\":1,\"pattern\":1,\"maxItems\":1,"
	    "\"uniqueItems\":1,\"minProperties\":1,\"maxProperties\":1,"
	    "\"patternProperties\":1,\"propertyNames\":1,\"if\":1,"
	    "\"then\":1,\"else\":1,\"not\":1,\"dependentRequired\":1,"
	    "\"dependentSchemas\":1,\"nullable\":true,\"title\":\"t\","
	    "\"enum\":[1],\"$ref\":\"#\"}",
	    "{\"title\":\"t\",\"enum\":[1],\"$ref\":\"#\"}" },
	{ OUTPUT, "S-A definitions", "{\"$defs\":{\"pattern\":{\"minimum\":1}"
	    "},\"allOf\":[{\"minimum\":1}]}",
	    "{\"$defs\":{\"pattern\":{}},\"allOf\":[{}]}" },
	{ OUTPUT, "S-A no schema", NULL, "{}" }
};

#define CLOSED "\"additionalProperties\":false"

static const struct {
	const char *in;
	int strict;
} stricts[] = {
	{ NULL, 1 },
	{ "{\"type\":\"string\"}", 1 },
	{ P(""), 0 },
	{ "{\"type\":\"object\"," CLOSED "}", 1 },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{}}," CLOSED "}", 0 },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{}}," CLOSED
	    ",\"required\":[\"a\"]}", 1 },
	{ "{\"type\":\"object\",\"properties\":{\"\\u0061\":{}}," CLOSED
	    ",\"required\":[1,\"a\"]}", 1 },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{}}," CLOSED
	    ",\"required\":[\"a\"]}", 0 },
	{ "{\"properties\":{}}", 0 },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"object\"}}", 0 },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"object\"," CLOSED "}}",
	    1 },
	{ "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"object\"}]}", 0 },
	{ "{\"oneOf\":[{\"type\":\"object\"}]}", 0 },
	{ "{\"allOf\":[{\"type\":\"object\"}]}", 0 },
	{ "{\"$defs\":{\"x\":{\"type\":\"object\"}}}", 0 },
	{ "{\"definitions\":{\"x\":{\"type\":[\"null\",\"object\"]}}}", 0 }
};

static int
apply(struct buf *out, struct arena *a, enum what what, const struct node *n)
{
	switch (what) {
	case TOOL:
		return schema_tool(out, a, n);
	case GEMINI:
		return schema_gemini(out, a, n);
	case PARAMETERS:
		return schema_gemini_tool(out, a, n);
	case JSON:
		return schema_json(out, a, n);
	default:
		return schema_output(out, a, n);
	}
}

static void
test_rows(void)
{
	const struct node *n;
	struct arena a;
	struct buf out;
	size_t i;
	int rc;

	for (i = 0; i < N(rows); i++) {
		arena_init(&a, 1 << 20);
		buf_init(&out, 1 << 16);
		buf_adds(&out, "x");
		n = rows[i].in == NULL ? NULL :
		    tree_parse(&a, str_of(rows[i].in));
		T_OK(rows[i].in == NULL || n != NULL, "%s: no JSON",
		    rows[i].rule);
		rc = apply(&out, &a, rows[i].what, n);
		if (rc == 1)
			buf_adds(&out, NONE);
		T_OK(rc != -1 && str_is(str_n(buf_str(&out).p + 1, out.len -
		    1), rows[i].out), "%s: %s", rows[i].rule, buf_cstr(&out));
		buf_free(&out);
		arena_free(&a);
	}
}

static void
test_strict(void)
{
	const struct node *n;
	struct arena a;
	size_t i;

	for (i = 0; i < N(stricts); i++) {
		arena_init(&a, 1 << 20);
		n = stricts[i].in == NULL ? NULL :
		    tree_parse(&a, str_of(stricts[i].in));
		T_OK(schema_strict(n) == stricts[i].strict, "%s",
		    stricts[i].in == NULL ? "none" : stricts[i].in);
		arena_free(&a);
	}
}

/* 1 if two values are the same, whatever the order of their members. */
static int
same(const struct node *a, const struct node *b)
{
	const struct node *c, *d;
	char key[128];
	size_t n = 0;

	if (a == NULL || b == NULL || a->type != b->type)
		return 0;
	if (a->type != JSON_OBJECT && a->type != JSON_ARRAY)
		return str_eq(a->raw, b->raw);
	for (d = b->child; d != NULL; d = d->next)
		n++;
	for (c = a->child, d = b->child; c != NULL; c = c->next, n--) {
		if (a->type == JSON_OBJECT) {
			snprintf(key, sizeof key, "%.*s", (int)c->key.n,
			    c->key.p);
			if (!same(c, tree_find(b, key)))
				return 0;
		} else {
			if (!same(c, d))
				return 0;
			d = d->next;
		}
	}
	return n == 0;
}

static struct str
read_file(struct arena *a, const char *name)
{
	static char text[1 << 16];
	char path[128];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof path, "tests/vectors/%s", name);
	if ((f = fopen(path, "rb")) != NULL) {
		n = fread(text, 1, sizeof text, f);
		fclose(f);
	}
	return arena_copy(a, str_n(text, n));
}

static const struct {
	enum what what, after;		/* after: of S-J first */
	const char *in, *from, *out, *to;
} vectors[] = {
	{ PARAMETERS, PARAMETERS, "a2g-req-schema/in.json",
	    "tools.0.input_schema", "a2g-req-schema/out.json",
	    "tools.0.functionDeclarations.0.parameters" },
	{ JSON, TOOL, "g2a-req-basic/in.json",
	    "tools.0.function_declarations.0.parameters",
	    "g2a-req-basic/out.json", "tools.0.input_schema" },
	{ OUTPUT, OUTPUT, "o2a-req-format/in.json",
	    "response_format.json_schema.schema", "o2a-req-format/out.json",
	    "output_config.format.schema" },
	{ GEMINI, GEMINI, "o2g-req-format/in.json",
	    "response_format.json_schema.schema", "o2g-req-format/out.json",
	    "generationConfig.responseSchema" },
	{ TOOL, TOOL, "a2o-req-toolchoice/in.json", "tools.0.input_schema",
	    "a2o-req-toolchoice/out.json", "tools.0.function.parameters" },
	{ TOOL, TOOL, "a2o-req-toolchoice/in.json", "tools.1.input_schema",
	    "a2o-req-toolchoice/out.json", "tools.1.function.parameters" }
};

static void
test_vectors(void)
{
	struct json_value in, want;
	struct arena a;
	struct buf out;
	size_t i;

	for (i = 0; i < N(vectors); i++) {
		arena_init(&a, 1 << 20);
		buf_init(&out, 1 << 16);
		T_OK(json_get(read_file(&a, vectors[i].in), vectors[i].from,
		    &in) == 0, "%s", vectors[i].in);
		T_OK(json_get(read_file(&a, vectors[i].out), vectors[i].to,
		    &want) == 0, "%s", vectors[i].out);
		apply(&out, &a, vectors[i].what, tree_parse(&a, in.raw));
		if (vectors[i].after != vectors[i].what) {
			in.raw = arena_take(&a, &out);
			apply(&out, &a, vectors[i].after,
			    tree_parse(&a, in.raw));
		}
		T_OK(same(tree_parse(&a, buf_str(&out)),
		    tree_parse(&a, want.raw)), "%s: %s", vectors[i].in,
		    buf_cstr(&out));
		buf_free(&out);
		arena_free(&a);
	}
	arena_init(&a, 1 << 20);
	T_OK(json_get(read_file(&a, "a2o-req-format/in.json"),
	    "output_config.format.schema", &in) == 0 &&
	    schema_strict(tree_parse(&a, in.raw)), "a2o-req-format");
	arena_free(&a);
}

/* Each definition refers twice to the one before: 2^40 if one went on. */
static void
test_fan_out(void)
{
	const struct node *n;
	struct buf in, out;
	struct arena a;
	int i;

	buf_init(&in, 1 << 20);
	buf_init(&out, 8 << 20);
	arena_init(&a, 64 << 20);
	buf_adds(&in, "{\"$ref\":\"#/$defs/d40\",\"$defs\":{\"d0\":{}");
	for (i = 1; i <= 40; i++)
		buf_fmt(&in, ",\"d%d\":{\"type\":\"object\",\"properties\":{"
		    "\"a\":{\"$ref\":\"#/$defs/d%d\"},"
		    "\"b\":{\"$ref\":\"#/$defs/d%d\"}}}", i, i - 1, i - 1);
	buf_adds(&in, "}}");
	n = tree_parse(&a, buf_str(&in));
	T_OK(n != NULL && schema_gemini(&out, &a, n) == 0 &&
	    json_valid(buf_str(&out), NULL, NULL) && out.len > 100000,
	    "%zu bytes", out.len);
	buf_clear(&out);
	T_OK(schema_tool(&out, &a, n) == 0, "tool");
	arena_free(&a);
	buf_free(&out);
	buf_free(&in);
}

/* No room: told, and nothing worse. */
static void
test_full(void)
{
	static const char in[] = P("\"a\":{\"enum\":[\"x\",\"y\",1]}");
	struct arena a;
	struct buf out;
	size_t max;
	int what;

	for (what = TOOL; what <= OUTPUT; what++)
		for (max = 0; max < 50; max++) {
			arena_init(&a, 1 << 20);
			buf_init(&out, max);
			T_OK(apply(&out, &a, (enum what)what, tree_parse(&a,
			    str_of(in))) == -1, "%d %zu", what, max);
			buf_free(&out);
			arena_free(&a);
		}
}

int
main(void)
{
	test_rows();
	test_strict();
	test_vectors();
	test_fan_out();
	test_full();
	return t_end();
}
