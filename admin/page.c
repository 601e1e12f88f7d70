#include "admin/page.h"

#include "admin/page_data.h"

static struct str
bytes(const unsigned char *p, size_t n)
{
	return str_n((const char *)p, n);
}

int
page_get(struct str path, struct str *type, struct str *body)
{
	if (str_is(path, "/")) {
		*type = str_of("text/html; charset=utf-8");
		*body = bytes(page_data_html, page_data_html_size);
	} else if (str_is(path, "/page.css")) {
		*type = str_of("text/css; charset=utf-8");
		*body = bytes(page_data_css, page_data_css_size);
	} else if (str_is(path, "/page.js")) {
		*type = str_of("text/javascript; charset=utf-8");
		*body = bytes(page_data_js, page_data_js_size);
	} else {
		return -1;
	}
	return 0;
}
