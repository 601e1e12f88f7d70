#include "wire/http_write.h"

#include <string.h>

/* 1 for what a field value or a chunk extension may hold. */
static int
is_text(unsigned char c)
{
	return c >= ' ' ? c != 0x7f : c == '\t';
}

const char *
http_reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{ 100, "Continue" }, { 101, "Switching Protocols" },
		{ 103, "Early Hints" }, { 200, "OK" }, { 201, "Created" },
		{ 202, "Accepted" }, { 204, "No Content" },
		{ 206, "Partial Content" }, { 301, "Moved Permanently" },
		{ 302, "Found" }, { 303, "See Other" },
		{ 304, "Not Modified" }, { 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 402, "Payment Required" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
		{ 408, "Request Timeout" }, { 409, "Conflict" },
		{ 410, "Gone" }, { 411, "Length Required" },
		{ 412, "Precondition Failed" }, { 413, "Content Too Large" },
		{ 414, "URI Too Long" }, { 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" }, { 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" }, { 425, "Too Early" },
		{ 426, "Upgrade Required" }, { 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 451, "Unavailable For Legal Reasons" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" }, { 529, "Overloaded" }
	};
	size_t i;

	for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "";
}

int
http_write_status(struct buf *out, int status)
{
	buf_adds(out, "HTTP/1.1 ");
	buf_addu(out, (uint64_t)status);
	buf_addc(out, ' ');
	buf_adds(out, http_reason(status));
	return buf_add(out, "\r\n", 2);
}

/* A line end in either would make a field of somebody else's. */
static int
is_clean(const char *name, struct str value)
{
	const unsigned char *c = (const unsigned char *)name;
	size_t i;

	if (*c == '\0')
		return 0;
	for (; *c != '\0'; c++)
		if (*c <= ' ' || *c == ':' || *c >= 0x7f)
			return 0;
	for (i = 0; i < value.n; i++)
		if (!is_text((unsigned char)value.p[i]))
			return 0;
	return 1;
}

int
http_write_field(struct buf *out, const char *name, struct str value)
{
	size_t n = strlen(name), room;
	unsigned char *p;

	if (!is_clean(name, value))
		out->bad = 1;
	if ((p = buf_room(out, n + value.n + 4, &room)) == NULL)
		return -1;
	memcpy(p, name, n);
	memcpy(p + n, ": ", 2);
	if (value.n > 0)
		memcpy(p + n + 2, value.p, value.n);
	memcpy(p + n + 2 + value.n, "\r\n", 2);
	buf_added(out, n + value.n + 4);
	return 0;
}

int
http_write_fieldu(struct buf *out, const char *name, uint64_t value)
{
	buf_adds(out, name);
	buf_add(out, ": ", 2);
	buf_addu(out, value);
	return buf_add(out, "\r\n", 2);
}

size_t
http_chunk_head(char at[HTTP_CHUNK_HEAD], uint64_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t size = 1, i;

	while (size < 16 && n >> (4 * size) != 0)
		size++;
	for (i = size; i-- > 0; n >>= 4)
		at[i] = digits[n & 15];
	at[size] = '\r';
	at[size + 1] = '\n';
	return size + 2;
}
