#ifndef ADMIN_PAGE_DATA_H
#define ADMIN_PAGE_DATA_H

/* The bytes of the page, in the source that admin/embed makes of it. */

#include <stddef.h>

extern const unsigned char page_data_html[];
extern const size_t page_data_html_size;
extern const unsigned char page_data_css[];
extern const size_t page_data_css_size;
extern const unsigned char page_data_js[];
extern const size_t page_data_js_size;

#endif
