#include "dialect/profile.h"

#include <string.h>

#define BIT(e) (1u << MSG_EFFORT_##e)

/* A version as one number: 100 * major + minor; of those without one: */
#define VERSION(major, minor) ((major) * 100u + (minor))
#define UNKNOWN VERSION(99, 0)

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
has(struct str s, const char *word)
{
	return str_casefind(s, str_of(word)) >= 0;
}

/* What follows the last of a character; all of s if there is none. */
static struct str
after_last(struct str s, char c)
{
	size_t i;

	for (i = s.n; i > 0; i--)
		if (s.p[i - 1] == c)
			return str_n(s.p + i, s.n - i);
	return s;
}

/* Takes the digits at the start of s off, as a number of at most 9999. */
static int
take_number(struct str *s, unsigned *out)
{
	size_t i;

	*out = 0;
	for (i = 0; i < s->n && is_digit(s->p[i]); i++)
		if (*out < 1000)
			*out = *out * 10 + (unsigned)(s->p[i] - '0');
	*s = str_n(s->p + i, s->n - i);
	return i > 0;
}

/* "X" or "X.Y" at the start of s: 1, and *v; 0 if s starts otherwise. */
static int
dotted(struct str s, unsigned *v)
{
	unsigned major, minor = 0;

	if (!take_number(&s, &major))
		return 0;
	if (s.n > 1 && s.p[0] == '.') {
		s = str_n(s.p + 1, s.n - 1);
		take_number(&s, &minor);
	}
	*v = VERSION(major, minor < 99 ? minor : 99);
	return 1;
}

/* The next piece of *s up to '-'; 0 at the end. */
static int
token(struct str *s, struct str *piece)
{
	size_t n = 0;

	if (s->n == 0)
		return 0;
	while (n < s->n && s->p[n] != '-')
		n++;
	*piece = str_n(s->p, n);
	n += n < s->n;
	*s = str_n(s->p + n, s->n - n);
	return 1;
}

/* 1 if a piece is a number of one or two digits. */
static int
short_number(struct str piece, unsigned *out)
{
	return piece.n > 0 && piece.n <= 2 && take_number(&piece, out) &&
	    piece.n == 0;
}

/*
 * The version in a Claude model's name: claude-opus-4-6, claude-3-7-sonnet,
 * claude-3.5-haiku; a longer number is a date.
 */
static unsigned
claude_version(struct str name)
{
	struct str piece;
	unsigned major, minor, v;
	size_t i;

	while (token(&name, &piece)) {
		if (short_number(piece, &major)) {
			if (token(&name, &piece) &&
			    short_number(piece, &minor))
				return VERSION(major, minor);
			return VERSION(major, 0);
		}
		for (i = 0; i + 2 < piece.n; i++)
			if (is_digit(piece.p[i]) && piece.p[i + 1] == '.' &&
			    is_digit(piece.p[i + 2]) &&
			    dotted(str_n(piece.p + i, piece.n - i), &v))
				return v;
	}
	return UNKNOWN;
}

/* Without what clouds and resellers put around the name of a Claude. */
static struct str
claude_name(struct str s)
{
	static const char vendor[] = "anthropic.";
	size_t i;
	long at;

	s = after_last(s, '/');
	at = str_casefind(s, str_of(vendor));
	if (at >= 0) {
		i = (size_t)at + sizeof vendor - 1;
		s = str_n(s.p + i, s.n - i);
	}
	for (i = 0; i < s.n && s.p[i] != '@' && s.p[i] != ':'; i++)
		;
	return str_n(s.p, i);
}

static enum profile_thinking
claude_thinking(struct str name, unsigned v)
{
	if (v < VERSION(3, 7))
		return PROFILE_NONE;
	if (v < VERSION(4, 6))
		return PROFILE_MANUAL;
	if (v == VERSION(4, 6))
		return PROFILE_DUAL;
	if (v != UNKNOWN && (
	    ((has(name, "fable") || has(name, "mythos")) &&
	    v >= VERSION(5, 0)) || (has(name, "opus") && v >= VERSION(5, 5))))
		return PROFILE_ALWAYS;
	return PROFILE_ADAPTIVE;
}

static void
anthropic(struct profile *p, struct str model)
{
	struct str name = claude_name(model);
	unsigned v;

	p->max_tokens = 32000;
	if (!has(name, "claude")) {
		/* Somebody else's model behind the same API. */
		p->thinking = PROFILE_MANUAL;
		p->sampling = 1;
		p->both = 1;
		p->prefill = 1;
		return;
	}
	v = claude_version(name);
	p->thinking = claude_thinking(name, v);
	p->sampling = v <= VERSION(4, 6);
	p->both = v < VERSION(4, 1);
	p->prefill = v < VERSION(4, 6);
	p->schema = v >= VERSION(4, 5) ||
	    (v >= VERSION(4, 1) && has(name, "opus"));
	if (v < VERSION(3, 5))
		p->max_tokens = 4096;
	else if (v < VERSION(3, 7))
		p->max_tokens = 8192;
	if (p->thinking >= PROFILE_DUAL)
		p->efforts = BIT(LOW) | BIT(MEDIUM) | BIT(HIGH) | BIT(MAX);
	if (p->thinking > PROFILE_DUAL)
		p->efforts |= BIT(XHIGH);
}

/* What one of OpenAI's reasoning models takes; 0 for all other models. */
static unsigned
openai_efforts(struct str name)
{
	const unsigned usual = BIT(LOW) | BIT(MEDIUM) | BIT(HIGH);
	unsigned v;

	if (has(name, "chat"))
		return 0;
	if (name.n > 1 && str_casestarts(name, "o") && is_digit(name.p[1]))
		return usual;
	if (!str_casestarts(name, "gpt-") ||
	    !dotted(str_n(name.p + 4, name.n - 4), &v) || v < VERSION(5, 0))
		return 0;
	if (v == VERSION(5, 0))
		return usual | BIT(MINIMAL);
	if (v == VERSION(5, 1))
		return usual | BIT(NONE);
	return usual | BIT(NONE) | BIT(XHIGH);
}

static void
openai(struct profile *p, struct str model)
{
	struct str name = after_last(model, '/');

	if (str_casestarts(name, "ft:"))
		name = str_n(name.p + 3, name.n - 3);
	p->efforts = openai_efforts(name);
	p->thinking = p->efforts != 0 ? PROFILE_EFFORT : PROFILE_NONE;
	p->sampling = p->efforts == 0;
	p->both = 1;
	p->prefill = 1;
	p->schema = 1;
}

static void
gemini(struct profile *p, struct str model)
{
	static const char family[] = "gemini-";
	struct str name = after_last(model, '/');
	unsigned v = UNKNOWN;
	size_t skip;
	long at = str_casefind(name, str_of(family));

	if (at >= 0) {
		skip = (size_t)at + sizeof family - 1;
		dotted(str_n(name.p + skip, name.n - skip), &v);
	}
	p->sampling = 1;
	p->both = 1;
	p->prefill = 1;
	p->schema = 1;
	p->json_tools = v >= VERSION(3, 0);
	p->result_media = v >= VERSION(3, 0);
	if (v < VERSION(2, 5))
		return;
	if (v >= VERSION(3, 0)) {
		p->thinking = PROFILE_LEVEL;
		p->efforts = BIT(LOW) | BIT(MEDIUM) | BIT(HIGH);
		if (!has(name, "pro"))
			p->efforts |= BIT(MINIMAL);
		return;
	}
	p->thinking = PROFILE_BUDGET;
	p->budget_max = 24576;
	if (has(name, "pro")) {
		p->cannot_off = 1;
		p->budget_min = 128;
		p->budget_max = 32768;
	} else if (has(name, "lite")) {
		p->budget_min = 512;
	}
}

void
profile_of(struct profile *p, enum dialect d, struct str model)
{
	memset(p, 0, sizeof *p);
	p->thinking = PROFILE_NONE;
	switch (d) {
	case DIALECT_ANTHROPIC:
		anthropic(p, model);
		break;
	case DIALECT_OPENAI:
		openai(p, model);
		break;
	case DIALECT_GEMINI:
		gemini(p, model);
		break;
	case DIALECT_ANY:
		break;
	}
}

/* T-1, in the order of enum msg_effort. */
static const struct {
	int64_t tokens;		/* that an effort is worth */
	int64_t up_to;		/* budgets that stand for it */
} efforts[] = {
	{ -1, -1 }, { 0, 0 }, { 512, 512 }, { 1024, 1024 }, { 8192, 8192 },
	{ 24576, 24576 }, { 32768, INT64_MAX }, { 65536, INT64_MAX }
};

int64_t
profile_budget(enum msg_effort e)
{
	return efforts[e].tokens;
}

enum msg_effort
profile_effort(int64_t budget)
{
	int e = MSG_EFFORT_NONE;

	while (budget > efforts[e].up_to)
		e++;
	return (enum msg_effort)e;
}

/* The nearest of a set above (step 1) or below (-1) e; unset: none. */
static enum msg_effort
nearest(int e, int step, unsigned set)
{
	for (e += step; e >= MSG_EFFORT_NONE && e <= MSG_EFFORT_MAX; e += step)
		if (set & 1u << e)
			return (enum msg_effort)e;
	return MSG_EFFORT_UNSET;
}

enum msg_effort
profile_clamp(enum msg_effort e, unsigned set)
{
	int step = e == MSG_EFFORT_MINIMAL ? 1 : -1;
	enum msg_effort found;

	if (e == MSG_EFFORT_UNSET || set & 1u << e)
		return e;
	found = nearest((int)e, step, set);
	return found != MSG_EFFORT_UNSET ? found : nearest((int)e, -step, set);
}

enum dialect
profile_vendor(struct str model)
{
	static const struct {
		const char *start;
		enum dialect dialect;
	} names[] = {
		{ "claude", DIALECT_ANTHROPIC },
		{ "gpt-", DIALECT_OPENAI }, { "chatgpt-", DIALECT_OPENAI },
		{ "gemini", DIALECT_GEMINI }
	};
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (str_casestarts(model, names[i].start))
			return names[i].dialect;
	return str_casestarts(model, "o") && model.n > 1 &&
	    model.p[1] >= '0' && model.p[1] <= '9' ? DIALECT_OPENAI :
	    DIALECT_ANY;
}
