CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE author (
	id INTEGER NOT NULL, 
	slug VARCHAR(80) NOT NULL, 
	name VARCHAR(120) NOT NULL, ascii_form VARCHAR(80) DEFAULT '' NOT NULL, folded_form VARCHAR(240) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_author PRIMARY KEY (id), 
	CONSTRAINT uq_author_slug UNIQUE (slug)
);
CREATE TABLE country (
	id INTEGER NOT NULL, 
	code VARCHAR(2) NOT NULL, 
	slug VARCHAR(80) NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	CONSTRAINT pk_country PRIMARY KEY (id), 
	CONSTRAINT uq_country_code UNIQUE (code), 
	CONSTRAINT uq_country_slug UNIQUE (slug)
);
CREATE TABLE login_attempt (
	id INTEGER NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	address VARCHAR(45) NOT NULL, 
	at DATETIME NOT NULL, device_hash VARCHAR(64) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_login_attempt PRIMARY KEY (id)
);
CREATE INDEX ix_login_attempt_address_at ON login_attempt (address, at);
CREATE INDEX ix_login_attempt_email_at ON login_attempt (email, at);
CREATE TABLE outbox (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	article_id INTEGER, 
	action VARCHAR(20) NOT NULL, 
	at DATETIME NOT NULL
, request_id VARCHAR(64) DEFAULT '' NOT NULL, page_id INTEGER);
CREATE TABLE section (
	id INTEGER NOT NULL, 
	slug VARCHAR(80) NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	position INTEGER NOT NULL, description VARCHAR(300) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_section PRIMARY KEY (id), 
	CONSTRAINT uq_section_slug UNIQUE (slug)
);
CREATE TABLE topic (
	id INTEGER NOT NULL, 
	slug VARCHAR(80) NOT NULL, 
	name VARCHAR(120) NOT NULL, ascii_form VARCHAR(80) DEFAULT '' NOT NULL, folded_form VARCHAR(240) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_topic PRIMARY KEY (id), 
	CONSTRAINT uq_topic_slug UNIQUE (slug)
);
CREATE TABLE user (
	id INTEGER NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	role VARCHAR(10) NOT NULL, 
	password_hash VARCHAR(200) NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, failed_logins INTEGER DEFAULT '0' NOT NULL, language VARCHAR(35) DEFAULT '' NOT NULL, time_zone VARCHAR(60) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_user PRIMARY KEY (id), 
	CONSTRAINT ck_user_role CHECK (role in ('author', 'editor', 'admin')), 
	CONSTRAINT uq_user_email UNIQUE (email)
);
CREATE TABLE picture (
	id INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	extension VARCHAR(5) NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	byte_size INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	created_by_id INTEGER, was_public BOOLEAN DEFAULT 0 NOT NULL, has_avif BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_picture PRIMARY KEY (id), 
	CONSTRAINT fk_picture_created_by_id_user FOREIGN KEY(created_by_id) REFERENCES user (id), 
	CONSTRAINT uq_picture_digest UNIQUE (digest)
);
CREATE TABLE user_session (
	id INTEGER NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	user_id INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, failed_logins INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_user_session PRIMARY KEY (id), 
	CONSTRAINT fk_user_session_user_id_user FOREIGN KEY(user_id) REFERENCES user (id) ON DELETE CASCADE, 
	CONSTRAINT uq_user_session_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_user_session_user_id ON user_session (user_id);
CREATE TABLE article_author (
	article_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	author_id INTEGER NOT NULL, 
	CONSTRAINT pk_article_author PRIMARY KEY (article_id, position), 
	CONSTRAINT fk_article_author_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT fk_article_author_author_id_author FOREIGN KEY(author_id) REFERENCES author (id)
)
 WITHOUT ROWID

;
CREATE INDEX ix_article_author_author_id ON article_author (author_id);
CREATE TABLE article_country (
	article_id INTEGER NOT NULL, 
	country_id INTEGER NOT NULL, 
	CONSTRAINT pk_article_country PRIMARY KEY (article_id, country_id), 
	CONSTRAINT fk_article_country_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT fk_article_country_country_id_country FOREIGN KEY(country_id) REFERENCES country (id)
)
 WITHOUT ROWID

;
CREATE INDEX ix_article_country_country_id ON article_country (country_id);
CREATE TABLE article_topic (
	article_id INTEGER NOT NULL, 
	topic_id INTEGER NOT NULL, 
	CONSTRAINT pk_article_topic PRIMARY KEY (article_id, topic_id), 
	CONSTRAINT fk_article_topic_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT fk_article_topic_topic_id_topic FOREIGN KEY(topic_id) REFERENCES topic (id)
)
 WITHOUT ROWID

;
CREATE INDEX ix_article_topic_topic_id ON article_topic (topic_id);
CREATE TABLE redirect (
	slug VARCHAR(120) NOT NULL, 
	article_id INTEGER NOT NULL, 
	CONSTRAINT pk_redirect PRIMARY KEY (slug), 
	CONSTRAINT fk_redirect_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE
);
CREATE INDEX ix_redirect_article_id ON redirect (article_id);
CREATE TABLE revision (
	id INTEGER NOT NULL, 
	article_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	action VARCHAR(20) NOT NULL, 
	content JSON NOT NULL, 
	made_at DATETIME NOT NULL, 
	made_by_id INTEGER, version INTEGER, note TEXT DEFAULT '' NOT NULL, is_copy BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_revision PRIMARY KEY (id), 
	CONSTRAINT fk_revision_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT fk_revision_made_by_id_user FOREIGN KEY(made_by_id) REFERENCES user (id)
);
CREATE UNIQUE INDEX ix_revision_article_id_number ON revision (article_id, number);
CREATE TABLE autosave (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	article_id INTEGER, 
	copy VARCHAR(40) NOT NULL, 
	version INTEGER NOT NULL, 
	"values" JSON NOT NULL, 
	saved_at DATETIME NOT NULL, discarded_at DATETIME, 
	CONSTRAINT pk_autosave PRIMARY KEY (id), 
	CONSTRAINT fk_autosave_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT fk_autosave_user_id_user FOREIGN KEY(user_id) REFERENCES user (id) ON DELETE CASCADE
);
CREATE INDEX ix_autosave_article_id ON autosave (article_id);
CREATE INDEX ix_autosave_user_id_article_id ON autosave (user_id, article_id);
CREATE UNIQUE INDEX ix_autosave_user_id_copy ON autosave (user_id, copy);
CREATE TABLE presence (
	article_id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	seen_at DATETIME NOT NULL, 
	CONSTRAINT pk_presence PRIMARY KEY (article_id, user_id), 
	CONSTRAINT fk_presence_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT fk_presence_user_id_user FOREIGN KEY(user_id) REFERENCES user (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE follower (
	name VARCHAR(40) NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_follower PRIMARY KEY (name)
)
 WITHOUT ROWID

;
CREATE TABLE related (
	article_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	related_id INTEGER NOT NULL, 
	score REAL NOT NULL, 
	CONSTRAINT pk_related PRIMARY KEY (article_id, position), 
	CONSTRAINT fk_related_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT fk_related_related_id_article FOREIGN KEY(related_id) REFERENCES article (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE INDEX ix_related_related_id ON related (related_id);
CREATE TABLE related_choice (
	article_id INTEGER NOT NULL, 
	related_id INTEGER NOT NULL, 
	kind VARCHAR(6) NOT NULL, 
	made_at DATETIME NOT NULL, 
	made_by_id INTEGER, 
	CONSTRAINT pk_related_choice PRIMARY KEY (article_id, related_id), 
	CONSTRAINT ck_related_choice_kind CHECK (kind in ('pin', 'forbid')), 
	CONSTRAINT fk_related_choice_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT fk_related_choice_related_id_article FOREIGN KEY(related_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT fk_related_choice_made_by_id_user FOREIGN KEY(made_by_id) REFERENCES user (id)
)
 WITHOUT ROWID

;
CREATE INDEX ix_related_choice_related_id ON related_choice (related_id);
CREATE TABLE search_count (
	day DATE NOT NULL, 
	text VARCHAR(200) NOT NULL, 
	times INTEGER NOT NULL, 
	hits INTEGER NOT NULL, 
	milliseconds INTEGER NOT NULL, 
	CONSTRAINT pk_search_count PRIMARY KEY (day, text)
)
 WITHOUT ROWID

;
CREATE TABLE listed (
	kind VARCHAR(8) NOT NULL, 
	"key" INTEGER NOT NULL, 
	published_at DATETIME NOT NULL, 
	article_id INTEGER NOT NULL, language VARCHAR(8) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_listed PRIMARY KEY (kind, "key", published_at, article_id), 
	CONSTRAINT fk_listed_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE INDEX ix_listed_article_id ON listed (article_id);
CREATE TABLE story_count (
	kind VARCHAR(8) NOT NULL, 
	"key" INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	CONSTRAINT pk_story_count PRIMARY KEY (kind, "key")
)
 WITHOUT ROWID

;
CREATE TABLE preview_link (
	id INTEGER NOT NULL, 
	article_id INTEGER NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	nonce VARCHAR(43) NOT NULL, 
	made_by_id INTEGER, 
	made_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	revoked_at DATETIME, 
	CONSTRAINT pk_preview_link PRIMARY KEY (id), 
	CONSTRAINT fk_preview_link_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT fk_preview_link_made_by_id_user FOREIGN KEY(made_by_id) REFERENCES user (id), 
	CONSTRAINT uq_preview_link_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_preview_link_article_id ON preview_link (article_id);
CREATE TABLE known_client (
	user_id INTEGER NOT NULL, 
	kind VARCHAR(7) NOT NULL, 
	value VARCHAR(64) NOT NULL, 
	seen_at DATETIME NOT NULL, 
	CONSTRAINT pk_known_client PRIMARY KEY (user_id, kind, value), 
	CONSTRAINT ck_known_client_kind CHECK (kind in ('address', 'device')), 
	CONSTRAINT fk_known_client_user_id_user FOREIGN KEY(user_id) REFERENCES user (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE derivation (
	name VARCHAR(20) NOT NULL, 
	zone VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_derivation PRIMARY KEY (name)
)
 WITHOUT ROWID

;
CREATE TABLE opened_list (
	kind VARCHAR(8) NOT NULL, 
	"key" INTEGER NOT NULL, 
	CONSTRAINT pk_opened_list PRIMARY KEY (kind, "key")
)
 WITHOUT ROWID

;
CREATE TABLE "correction" (
	id INTEGER NOT NULL, 
	article_id INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	made_at DATETIME NOT NULL, 
	kind VARCHAR(20) DEFAULT 'correction' NOT NULL, 
	CONSTRAINT pk_correction PRIMARY KEY (id), 
	CONSTRAINT fk_correction_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT ck_correction_kind CHECK (kind in ('update', 'clarification', 'correction'))
);
CREATE INDEX ix_correction_article_id ON correction (article_id);
CREATE UNIQUE INDEX ix_author_name ON author (name);
CREATE INDEX ix_author_ascii_form ON author (ascii_form);
CREATE INDEX ix_author_folded_form ON author (folded_form);
CREATE UNIQUE INDEX ix_topic_name ON topic (name);
CREATE INDEX ix_topic_ascii_form ON topic (ascii_form);
CREATE INDEX ix_topic_folded_form ON topic (folded_form);
CREATE TABLE former_name (
	kind VARCHAR(8) NOT NULL, 
	part VARCHAR(4) NOT NULL, 
	value VARCHAR(120) NOT NULL, 
	owner_id INTEGER NOT NULL, 
	CONSTRAINT pk_former_name PRIMARY KEY (kind, part, value), 
	CONSTRAINT ck_former_name_kind CHECK (kind in ('author', 'topic')), 
	CONSTRAINT ck_former_name_part CHECK (part in ('name', 'slug'))
)
 WITHOUT ROWID

;
CREATE TABLE import_state (
	article_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	taken_at DATETIME NOT NULL, 
	given JSON NOT NULL, 
	CONSTRAINT pk_import_state PRIMARY KEY (article_id), 
	CONSTRAINT fk_import_state_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE picture_use (
	article_id INTEGER NOT NULL, 
	picture_id INTEGER NOT NULL, 
	CONSTRAINT pk_picture_use PRIMARY KEY (article_id, picture_id), 
	CONSTRAINT fk_picture_use_article_id_article FOREIGN KEY(article_id) REFERENCES article (id) ON DELETE CASCADE, 
	CONSTRAINT fk_picture_use_picture_id_picture FOREIGN KEY(picture_id) REFERENCES picture (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE INDEX ix_picture_use_picture_id ON picture_use (picture_id);
CREATE TABLE schema_support (
	version VARCHAR(32) NOT NULL, 
	oldest_code VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_schema_support PRIMARY KEY (version)
)
 WITHOUT ROWID

;
CREATE TABLE traffic_hour (
	hour DATETIME NOT NULL, 
	requests BIGINT NOT NULL, 
	errors BIGINT NOT NULL, 
	slow BIGINT NOT NULL, 
	CONSTRAINT pk_traffic_hour PRIMARY KEY (hour)
);
CREATE TABLE host (
	id VARCHAR(16) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	live_until DATETIME NOT NULL, 
	outbox_offset INTEGER, 
	searches_counted INTEGER NOT NULL, 
	repaired_on DATE, 
	settings JSON NOT NULL, 
	CONSTRAINT pk_host PRIMARY KEY (id)
)
 WITHOUT ROWID

;
CREATE TABLE lease (
	name VARCHAR(20) NOT NULL, 
	host_id VARCHAR(16) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_lease PRIMARY KEY (name)
)
 WITHOUT ROWID

;
CREATE TABLE search_index (
	name VARCHAR(20) NOT NULL, 
	generation INTEGER NOT NULL, 
	format INTEGER NOT NULL, 
	position BIGINT NOT NULL, 
	documents INTEGER NOT NULL, 
	newest INTEGER NOT NULL, 
	leased_until DATETIME, 
	CONSTRAINT pk_search_index PRIMARY KEY (name)
)
 WITHOUT ROWID

;
CREATE INDEX ix_revision_copies ON revision (made_by_id, made_at) WHERE is_copy;
CREATE TABLE language_count (
	kind VARCHAR(8) NOT NULL, 
	"key" INTEGER NOT NULL, 
	language VARCHAR(8) NOT NULL, 
	number INTEGER NOT NULL, 
	CONSTRAINT pk_language_count PRIMARY KEY (kind, "key", language)
)
 WITHOUT ROWID

;
CREATE INDEX ix_listed_language ON listed (kind, "key", language, published_at, article_id);
CREATE INDEX ix_latest ON listed (kind, published_at, article_id, language) WHERE kind = 'month';
CREATE INDEX ix_latest_language ON listed (kind, language, published_at, article_id) WHERE kind = 'month';
CREATE TABLE name_translation (
	kind VARCHAR(8) NOT NULL, 
	owner_id INTEGER NOT NULL, 
	language VARCHAR(16) NOT NULL, 
	name VARCHAR(120) DEFAULT '' NOT NULL, 
	description VARCHAR(300) DEFAULT '' NOT NULL, 
	words VARCHAR(240) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_name_translation PRIMARY KEY (kind, owner_id, language), 
	CONSTRAINT ck_name_translation_kind CHECK (kind in ('section', 'topic'))
)
 WITHOUT ROWID

;
CREATE INDEX ix_name_translation_words ON name_translation (words);
CREATE INDEX ix_revision_actions ON revision (article_id, version, action, number, made_at);
CREATE TABLE "article" (
	id INTEGER NOT NULL, 
	external_id VARCHAR(200), 
	form_key VARCHAR(40), 
	kind VARCHAR(20) DEFAULT 'news' NOT NULL, 
	kicker VARCHAR(60) DEFAULT ('') NOT NULL, 
	headline VARCHAR(300) NOT NULL, 
	dek TEXT NOT NULL, 
	slug VARCHAR(120) NOT NULL, 
	language VARCHAR(35) NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	excerpt TEXT NOT NULL, 
	word_count INTEGER NOT NULL, 
	source_name VARCHAR(200) NOT NULL, 
	source_url TEXT NOT NULL, 
	published_at DATETIME, 
	updated_at DATETIME, 
	created_at DATETIME NOT NULL, 
	saved_at DATETIME NOT NULL, 
	withdrawn_at DATETIME, 
	withdrawn_reason TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	section_id INTEGER NOT NULL, 
	created_by_id INTEGER, 
	picture_id INTEGER, 
	picture_alt TEXT NOT NULL, 
	picture_caption TEXT NOT NULL, 
	picture_credit TEXT NOT NULL, 
	feed_id VARCHAR(500), 
	search_title VARCHAR(120) DEFAULT '' NOT NULL, 
	search_description VARCHAR(320) DEFAULT '' NOT NULL, 
	share_picture VARCHAR(200) DEFAULT '' NOT NULL, 
	translation_of_id INTEGER, 
	original_version INTEGER, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_article PRIMARY KEY (id), 
	CONSTRAINT fk_article_picture_id_picture FOREIGN KEY(picture_id) REFERENCES picture (id), 
	CONSTRAINT fk_article_section_id_section FOREIGN KEY(section_id) REFERENCES section (id), 
	CONSTRAINT uq_article_external_id UNIQUE (external_id), 
	CONSTRAINT ck_article_status CHECK (status in ('draft', 'review', 'scheduled', 'published', 'withdrawn')), 
	CONSTRAINT uq_article_form_key UNIQUE (form_key), 
	CONSTRAINT fk_article_created_by_id_user FOREIGN KEY(created_by_id) REFERENCES user (id)
);
CREATE UNIQUE INDEX ix_article_feed_id ON article (feed_id);
CREATE INDEX ix_article_saved_at ON article (saved_at);
CREATE INDEX ix_article_picture_id ON article (picture_id);
CREATE UNIQUE INDEX ix_article_seen_slug ON article (slug) WHERE status IN ('published', 'withdrawn');
CREATE INDEX ix_article_translation_of_id ON article (translation_of_id) WHERE translation_of_id IS NOT NULL;
CREATE INDEX ix_article_section_stream ON article (section_id, status, published_at, id);
CREATE INDEX ix_article_created_by_id ON article (created_by_id);
CREATE INDEX ix_article_stream ON article (status, published_at, id);
CREATE TABLE page (
	id INTEGER NOT NULL, 
	external_id VARCHAR(200), 
	form_id VARCHAR(40), 
	parent_id INTEGER, 
	path VARCHAR(250) NOT NULL, 
	title VARCHAR(300) NOT NULL, 
	description TEXT NOT NULL, 
	language VARCHAR(35) NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	version INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	saved_at DATETIME NOT NULL, 
	published_at DATETIME, 
	updated_at DATETIME, 
	withdrawn_at DATETIME, 
	withdrawn_reason TEXT NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_page PRIMARY KEY (id), 
	CONSTRAINT ck_page_status CHECK (status in ('draft', 'published', 'withdrawn')), 
	CONSTRAINT uq_page_external_id UNIQUE (external_id), 
	CONSTRAINT uq_page_form_id UNIQUE (form_id), 
	CONSTRAINT uq_page_path UNIQUE (path)
);
CREATE INDEX ix_page_parent_id ON page (parent_id);
CREATE TABLE page_revision (
	id INTEGER NOT NULL, 
	page_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	action VARCHAR(20) NOT NULL, 
	note TEXT NOT NULL, 
	content JSON NOT NULL, 
	made_at DATETIME NOT NULL, 
	made_by_id INTEGER, 
	CONSTRAINT pk_page_revision PRIMARY KEY (id), 
	CONSTRAINT fk_page_revision_page_id_page FOREIGN KEY(page_id) REFERENCES page (id) ON DELETE CASCADE, 
	CONSTRAINT fk_page_revision_made_by_id_user FOREIGN KEY(made_by_id) REFERENCES user (id)
);
CREATE UNIQUE INDEX ix_page_revision_page_id_number ON page_revision (page_id, number);
CREATE TABLE page_redirect (
	path VARCHAR(250) NOT NULL, 
	page_id INTEGER NOT NULL, 
	CONSTRAINT pk_page_redirect PRIMARY KEY (path), 
	CONSTRAINT fk_page_redirect_page_id_page FOREIGN KEY(page_id) REFERENCES page (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE INDEX ix_page_redirect_page_id ON page_redirect (page_id);
CREATE TABLE page_picture (
	page_id INTEGER NOT NULL, 
	picture_id INTEGER NOT NULL, 
	CONSTRAINT pk_page_picture PRIMARY KEY (page_id, picture_id), 
	CONSTRAINT fk_page_picture_page_id_page FOREIGN KEY(page_id) REFERENCES page (id) ON DELETE CASCADE, 
	CONSTRAINT fk_page_picture_picture_id_picture FOREIGN KEY(picture_id) REFERENCES picture (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE INDEX ix_page_picture_picture_id ON page_picture (picture_id);
CREATE TABLE page_import (
	page_id INTEGER NOT NULL, 
	imported_at DATETIME NOT NULL, 
	source_values JSON NOT NULL, 
	CONSTRAINT pk_page_import PRIMARY KEY (page_id), 
	CONSTRAINT fk_page_import_page_id_page FOREIGN KEY(page_id) REFERENCES page (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE menu_entry (
	menu VARCHAR(6) NOT NULL, 
	page_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	label VARCHAR(60) NOT NULL, 
	CONSTRAINT pk_menu_entry PRIMARY KEY (menu, page_id), 
	CONSTRAINT ck_menu_entry_menu CHECK (menu in ('header', 'footer')), 
	CONSTRAINT fk_menu_entry_page_id_page FOREIGN KEY(page_id) REFERENCES page (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE INDEX ix_menu_entry_page_id ON menu_entry (page_id);
CREATE TABLE old_address (
	address VARCHAR(500) NOT NULL, 
	kind VARCHAR(10) NOT NULL, 
	target_id INTEGER DEFAULT '0' NOT NULL, 
	target VARCHAR(500) DEFAULT '' NOT NULL, 
	is_manual BOOLEAN DEFAULT 0 NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_old_address PRIMARY KEY (address)
)
 WITHOUT ROWID

;
CREATE TABLE missing_page (
	day DATE NOT NULL, 
	path VARCHAR(200) NOT NULL, 
	times INTEGER NOT NULL, 
	CONSTRAINT pk_missing_page PRIMARY KEY (day, path)
)
 WITHOUT ROWID

;
INSERT INTO "alembic_version" ("version_num") VALUES ('0033');
INSERT INTO "schema_support" ("version", "oldest_code") VALUES ('0033', '0018');
INSERT INTO "author" ("id", "slug", "name", "ascii_form", "folded_form") VALUES (1, 'amina-bello', 'Amina Bello', 'amina-bello', 'amina bello');
INSERT INTO "country" ("id", "code", "slug", "name") VALUES (1, 'KE', 'kenya', 'Kenya');
INSERT INTO "login_attempt" ("id", "email", "address", "at", "device_hash") VALUES (1, 'a@b.example', '::1', '2026-01-02 08:00:00.000000', '');
INSERT INTO "outbox" ("seq", "article_id", "action", "at") VALUES (1, 1, 'publish', '2026-01-02 08:00:00.000000');
INSERT INTO "outbox" ("seq", "article_id", "action", "at") VALUES (2, 2, 'withdraw', '2026-01-02 08:00:00.000000');
INSERT INTO "outbox" ("seq", "article_id", "action", "at", "request_id") VALUES (3, 5, 'publish', '2026-01-03 09:30:00.000123', 'ffffffffffffffffffffffffffffffff');
INSERT INTO "section" ("id", "slug", "name", "description", "position") VALUES (1, 'politics', 'Politics', 'Who holds power', 1);
INSERT INTO "topic" ("id", "slug", "name", "ascii_form", "folded_form") VALUES (1, 'ports', 'Ports', 'ports', 'ports');
INSERT INTO "topic" ("id", "slug", "name", "ascii_form", "folded_form") VALUES (2, 'cote-divoire', 'Côte d’Ivoire', 'cote-divoire', 'cote d’ivoire');
INSERT INTO "user" ("id", "email", "name", "role", "password_hash", "is_active", "created_at", "failed_logins") VALUES (1, 'editor@news.example', 'Édith O''Brien', 'editor', '$argon2id$v=19$m=8,t=1,p=1$VxI22C2DiOEK/7EsuYppsQ$uM7kA8D/eIorEontzLZdc0vTLqDWjHUm5qv78iHBVEs', TRUE, '2026-01-02 08:00:00.000000', 2);
INSERT INTO "picture" ("id", "digest", "extension", "width", "height", "byte_size", "created_at", "created_by_id", "was_public") VALUES (1, 'abababababababababababababababab', 'jpg', 1200, 800, 123456, '2026-01-02 08:00:00.000000', 1, TRUE);
INSERT INTO "user_session" ("id", "token_hash", "user_id", "created_at", "seen_at", "failed_logins") VALUES (1, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 1, '2026-01-02 08:00:00.000000', '2026-01-03 09:30:00.000123', 0);
INSERT INTO "article" ("id", "external_id", "form_key", "headline", "kind", "kicker", "dek", "slug", "language", "status", "excerpt", "word_count", "source_name", "source_url", "published_at", "updated_at", "created_at", "saved_at", "withdrawn_at", "withdrawn_reason", "version", "section_id", "created_by_id", "picture_id", "picture_alt", "picture_caption", "picture_credit", "search_title", "search_description", "share_picture", "feed_id", "body") VALUES (1, 'source:1', 'form-1', 'Headline 1 – “quoted”, Ṣẹ́gun’s', 'opinion', 'Analysis', 'A standfirst; with ''quotes''', 'the-port', 'sw', 'published', 'Bandari ya Mombasa', 3, 'Reuters', 'https://source.example/1?a=1&b=%41', '2026-01-02 08:00:00.000000', '2026-01-03 09:30:00.000123', '2026-01-02 08:00:00.000000', '2026-01-03 09:30:00.000123', NULL, '', 3, 1, 1, 1, 'A port', 'The port', 'Juma', 'The port of Mombasa', 'What happens at the port', '/media/ab/ab000000000000000000000000000000-320.jpg', 'urn:uuid:00000000-0000-4000-8000-000000000001', '<p>Bandari ya Mombasa 1</p>');
INSERT INTO "article" ("id", "external_id", "form_key", "headline", "kind", "kicker", "dek", "slug", "language", "status", "excerpt", "word_count", "source_name", "source_url", "published_at", "updated_at", "created_at", "saved_at", "withdrawn_at", "withdrawn_reason", "version", "section_id", "created_by_id", "picture_id", "picture_alt", "picture_caption", "picture_credit", "search_title", "search_description", "share_picture", "feed_id", "body") VALUES (2, 'source:2', 'form-2', 'Headline 2 – “quoted”, Ṣẹ́gun’s', 'news', '', 'A standfirst; with ''quotes''', 'a-mistake', 'sw', 'withdrawn', 'Bandari ya Mombasa', 3, 'Reuters', 'https://source.example/1?a=1&b=%41', '2026-01-02 08:00:00.000000', NULL, '2026-01-02 08:00:00.000000', '2026-01-03 09:30:00.000123', '2026-01-03 09:30:00.000123', 'Not true', 3, 1, 1, NULL, '', '', '', '', '', '', 'urn:uuid:00000000-0000-4000-8000-000000000002', '<p>Bandari ya Mombasa 2</p>');
INSERT INTO "article" ("id", "external_id", "form_key", "headline", "kind", "kicker", "dek", "slug", "language", "status", "excerpt", "word_count", "source_name", "source_url", "published_at", "updated_at", "created_at", "saved_at", "withdrawn_at", "withdrawn_reason", "version", "section_id", "created_by_id", "picture_id", "picture_alt", "picture_caption", "picture_credit", "search_title", "search_description", "share_picture", "feed_id", "body") VALUES (3, 'source:3', 'form-3', 'Headline 3 – “quoted”, Ṣẹ́gun’s', 'news', '', 'A standfirst; with ''quotes''', 'a-draft', 'sw', 'draft', 'Bandari ya Mombasa', 3, 'Reuters', 'https://source.example/1?a=1&b=%41', NULL, NULL, '2026-01-02 08:00:00.000000', '2026-01-03 09:30:00.000123', NULL, '', 3, 1, 1, NULL, '', '', '', '', '', '', 'urn:uuid:00000000-0000-4000-8000-000000000003', '<p>Bandari ya Mombasa 3</p>');
INSERT INTO "article" ("id", "external_id", "form_key", "headline", "kind", "kicker", "dek", "slug", "language", "status", "excerpt", "word_count", "source_name", "source_url", "published_at", "updated_at", "created_at", "saved_at", "withdrawn_at", "withdrawn_reason", "version", "section_id", "created_by_id", "picture_id", "picture_alt", "picture_caption", "picture_credit", "search_title", "search_description", "share_picture", "feed_id", "body") VALUES (4, 'source:4', 'form-4', 'Headline 4 – “quoted”, Ṣẹ́gun’s', 'news', '', 'A standfirst; with ''quotes''', 'later', 'sw', 'scheduled', 'Bandari ya Mombasa', 3, 'Reuters', 'https://source.example/1?a=1&b=%41', '2099-01-02 08:00:00.000000', NULL, '2026-01-02 08:00:00.000000', '2026-01-03 09:30:00.000123', NULL, '', 3, 1, 1, NULL, '', '', '', '', '', '', 'urn:uuid:00000000-0000-4000-8000-000000000004', '<p>Bandari ya Mombasa 4</p>');
INSERT INTO "article" ("id", "external_id", "form_key", "headline", "kind", "kicker", "dek", "slug", "language", "status", "excerpt", "word_count", "source_name", "source_url", "published_at", "updated_at", "created_at", "saved_at", "withdrawn_at", "withdrawn_reason", "version", "section_id", "created_by_id", "picture_id", "picture_alt", "picture_caption", "picture_credit", "search_title", "search_description", "share_picture", "feed_id", "body", "translation_of_id", "original_version") VALUES (5, 'source:5', 'form-5', 'Headline 5 – “quoted”, Ṣẹ́gun’s', 'news', '', 'A standfirst; with ''quotes''', 'the-picture', 'sw', 'published', 'Bandari ya Mombasa', 3, 'Reuters', 'https://source.example/1?a=1&b=%41', '2026-01-02 08:00:00.000000', NULL, '2026-01-02 08:00:00.000000', '2026-01-03 09:30:00.000123', NULL, '', 3, 1, 1, NULL, '', '', '', '', '', '', 'urn:uuid:00000000-0000-4000-8000-000000000005', '<figure><img src="/media/ab/abababababababababababababababab-640.jpg" alt="A port"></figure>', 1, 2);
INSERT INTO "article_author" ("article_id", "position", "author_id") VALUES (1, 0, 1);
INSERT INTO "article_country" ("article_id", "country_id") VALUES (1, 1);
INSERT INTO "article_topic" ("article_id", "topic_id") VALUES (1, 1);
INSERT INTO "article_topic" ("article_id", "topic_id") VALUES (2, 2);
INSERT INTO "correction" ("id", "article_id", "text", "kind", "made_at") VALUES (1, 1, 'An earlier version named another port.', 'correction', '2026-01-03 09:30:00.000123');
INSERT INTO "redirect" ("slug", "article_id") VALUES ('the-old-port', 1);
INSERT INTO "revision" ("id", "article_id", "number", "version", "action", "note", "content", "made_at", "made_by_id") VALUES (11, 1, 1, 1, 'publish', '', '{"headline": "Headline 1", "body": "<p>Then</p>", "authors": ["Amina"]}', '2026-01-02 08:00:00.000000', 1);
INSERT INTO "revision" ("id", "article_id", "number", "version", "action", "note", "content", "made_at", "made_by_id") VALUES (12, 1, 2, 2, 'correct', 'An earlier version named another port.', '{"headline": "Headline 1", "body": "<p>Then</p>", "authors": ["Amina"]}', '2026-01-03 09:30:00.000123', 1);
INSERT INTO "revision" ("id", "article_id", "number", "version", "action", "note", "content", "made_at", "made_by_id") VALUES (21, 2, 1, 1, 'withdraw', '', '{"headline": "Headline 2", "body": "<p>Then</p>", "authors": ["Amina"]}', '2026-01-02 08:00:00.000000', 1);
INSERT INTO "revision" ("id", "article_id", "number", "version", "action", "note", "content", "made_at", "made_by_id") VALUES (31, 3, 1, 1, 'save', '', '{"headline": "Headline 3", "body": "<p>Then</p>", "authors": ["Amina"]}', '2026-01-02 08:00:00.000000', 1);
INSERT INTO "autosave" ("id", "user_id", "article_id", "copy", "version", "values", "saved_at", "discarded_at") VALUES (1, 1, 3, 'form-3', 3, '{"headline": "Unsaved – ünsaved", "body": "<p>More</p>"}', '2026-01-03 09:30:00.000123', NULL);
INSERT INTO "presence" ("article_id", "user_id", "seen_at") VALUES (3, 1, '2026-01-03 09:30:00.000123');
INSERT INTO "preview_link" ("id", "article_id", "token_hash", "nonce", "made_by_id", "made_at", "expires_at", "revoked_at") VALUES (1, 3, 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', 'nonce', 1, '2026-01-02 08:00:00.000000', '2099-01-01 00:00:00.000000', NULL);
INSERT INTO "follower" ("name", "position") VALUES ('related', 3);
INSERT INTO "related" ("article_id", "position", "related_id", "score") VALUES (1, 0, 5, 0.5);
INSERT INTO "related_choice" ("article_id", "related_id", "kind", "made_at", "made_by_id") VALUES (1, 5, 'pin', '2026-01-03 09:30:00.000123', 1);
INSERT INTO "search_count" ("day", "text", "times", "hits", "milliseconds") VALUES ('2026-01-02', 'mombasa', 4, 2, 31);
INSERT INTO "traffic_hour" ("hour", "requests", "errors", "slow") VALUES ('2026-01-02 08:00:00.000000', 1200, 3, 1);
INSERT INTO "listed" ("kind", "key", "published_at", "article_id", "language") VALUES ('section', 1, '2026-01-02 08:00:00.000000', 1, 'sw');
INSERT INTO "listed" ("kind", "key", "published_at", "article_id", "language") VALUES ('month', 202601, '2026-01-02 08:00:00.000000', 1, 'sw');
INSERT INTO "listed" ("kind", "key", "published_at", "article_id", "language") VALUES ('section', 1, '2026-01-02 08:00:00.000000', 5, 'sw');
INSERT INTO "listed" ("kind", "key", "published_at", "article_id", "language") VALUES ('month', 202601, '2026-01-02 08:00:00.000000', 5, 'sw');
INSERT INTO "listed" ("kind", "key", "published_at", "article_id", "language") VALUES ('author', 1, '2026-01-02 08:00:00.000000', 1, 'sw');
INSERT INTO "listed" ("kind", "key", "published_at", "article_id", "language") VALUES ('country', 1, '2026-01-02 08:00:00.000000', 1, 'sw');
INSERT INTO "listed" ("kind", "key", "published_at", "article_id", "language") VALUES ('topic', 1, '2026-01-02 08:00:00.000000', 1, 'sw');
INSERT INTO "language_count" ("kind", "key", "language", "number") VALUES ('author', 1, 'sw', 1);
INSERT INTO "language_count" ("kind", "key", "language", "number") VALUES ('country', 1, 'sw', 1);
INSERT INTO "language_count" ("kind", "key", "language", "number") VALUES ('topic', 1, 'sw', 1);
INSERT INTO "language_count" ("kind", "key", "language", "number") VALUES ('section', 1, 'sw', 2);
INSERT INTO "language_count" ("kind", "key", "language", "number") VALUES ('month', 202601, 'sw', 2);
INSERT INTO "story_count" ("kind", "key", "number") VALUES ('author', 1, 1);
INSERT INTO "story_count" ("kind", "key", "number") VALUES ('country', 1, 1);
INSERT INTO "story_count" ("kind", "key", "number") VALUES ('topic', 1, 1);
INSERT INTO "story_count" ("kind", "key", "number") VALUES ('section', 1, 2);
INSERT INTO "story_count" ("kind", "key", "number") VALUES ('month', 202601, 2);
INSERT INTO "known_client" ("user_id", "kind", "value", "seen_at") VALUES (1, 'device', 'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee', '2026-01-03 09:30:00.000123');
INSERT INTO "derivation" ("name", "zone") VALUES ('lists', 'UTC');
INSERT INTO "opened_list" ("kind", "key") VALUES ('section', 1);
INSERT INTO "opened_list" ("kind", "key") VALUES ('month', 202601);
INSERT INTO "opened_list" ("kind", "key") VALUES ('author', 1);
INSERT INTO "opened_list" ("kind", "key") VALUES ('country', 1);
INSERT INTO "opened_list" ("kind", "key") VALUES ('topic', 1);
INSERT INTO "opened_list" ("kind", "key") VALUES ('topic', 2);
INSERT INTO "name_translation" ("kind", "owner_id", "language", "name", "description", "words") VALUES ('section', 1, 'fr', 'Politique d’Afrique', 'Le pouvoir', 'politique d afrique');
INSERT INTO "former_name" ("kind", "part", "value", "owner_id") VALUES ('author', 'name', 'A. Bello', 1);
INSERT INTO "import_state" ("article_id", "version", "taken_at", "given") VALUES (1, 3, '2026-01-03 09:30:00.000123', '{"headline": "ffffffffffffffff"}');
INSERT INTO "host" ("id", "name", "live_until", "outbox_offset", "searches_counted", "repaired_on", "settings") VALUES ('abababababababab', 'web-1:/var/lib/spectator', '2026-01-03 09:30:00.000123', 1, 7, '2026-01-03', '{"TIMEZONE": "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"}');
INSERT INTO "old_address" ("address", "kind", "target_id", "target", "is_manual", "created_at") VALUES ('/2019/05/bandari', 'article', 1, '', FALSE, '2026-01-03 09:30:00.000123');
INSERT INTO "missing_page" ("day", "path", "times") VALUES ('2026-01-02', '/mombasa', 3);
INSERT INTO "lease" ("name", "host_id", "expires_at") VALUES ('leader', 'abababababababab', '2026-01-03 09:30:00.000123');
INSERT INTO "page" ("id", "external_id", "form_id", "parent_id", "path", "title", "description", "language", "status", "version", "created_at", "saved_at", "published_at", "updated_at", "withdrawn_at", "withdrawn_reason", "body") VALUES (1, 'source:page:1', 'page-form-1', NULL, 'about', 'Page 1', '', 'en', 'published', 2, '2026-01-02 08:00:00.000000', '2026-01-03 09:30:00.000123', '2026-01-02 08:00:00.000000', NULL, NULL, '', '<p>Page 1</p>');
INSERT INTO "page" ("id", "external_id", "form_id", "parent_id", "path", "title", "description", "language", "status", "version", "created_at", "saved_at", "published_at", "updated_at", "withdrawn_at", "withdrawn_reason", "body") VALUES (2, 'source:page:2', 'page-form-2', 1, 'about/history', 'Page 2', '', 'en', 'withdrawn', 2, '2026-01-02 08:00:00.000000', '2026-01-03 09:30:00.000123', '2026-01-02 08:00:00.000000', NULL, '2026-01-03 09:30:00.000123', 'Old', '<p>Page 2</p>');
INSERT INTO "page" ("id", "external_id", "form_id", "parent_id", "path", "title", "description", "language", "status", "version", "created_at", "saved_at", "published_at", "updated_at", "withdrawn_at", "withdrawn_reason", "body") VALUES (3, 'source:page:3', 'page-form-3', NULL, 'contact', 'Page 3', '', 'en', 'draft', 2, '2026-01-02 08:00:00.000000', '2026-01-03 09:30:00.000123', NULL, NULL, NULL, '', '<figure><img src="/media/ab/abababababababababababababababab-640.jpg" alt="A port"></figure>');
INSERT INTO "page_revision" ("id", "page_id", "number", "version", "action", "note", "content", "made_at", "made_by_id") VALUES (1, 1, 1, 1, 'publish', '', '{"title": "Page 1", "body": "<p>Then</p>", "slug": "about"}', '2026-01-02 08:00:00.000000', 1);
INSERT INTO "page_redirect" ("path", "page_id") VALUES ('about-us', 1);
INSERT INTO "page_picture" ("page_id", "picture_id") VALUES (3, 1);
INSERT INTO "page_import" ("page_id", "imported_at", "source_values") VALUES (3, '2026-01-03 09:30:00.000123', '{"title": "ffffffff"}');
INSERT INTO "menu_entry" ("menu", "page_id", "position", "label") VALUES ('footer', 1, 1, '');
INSERT INTO "picture_use" ("article_id", "picture_id") VALUES (1, 1);
INSERT INTO "picture_use" ("article_id", "picture_id") VALUES (5, 1);
INSERT INTO "search_index" ("name", "generation", "format", "position", "documents", "newest", "leased_until") VALUES ('public', 1, 1, 9, 1, 1, NULL);
