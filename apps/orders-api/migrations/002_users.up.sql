CREATE TABLE users (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  first_name varchar(100) NOT NULL,
  last_name  varchar(100) NOT NULL,
  email      varchar(100) NOT NULL UNIQUE,
  phone      varchar(20)  DEFAULT NULL,
  password   varchar(255) NOT NULL,
  created_at timestamp    DEFAULT now(),
  updated_at timestamp    DEFAULT now()
);

CREATE INDEX idx_users_email ON users (email);
