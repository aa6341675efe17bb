CREATE TABLE products (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  sku          varchar(40)    NOT NULL UNIQUE,
  name         varchar(200)   NOT NULL,
  price_amount integer        NOT NULL CHECK (price_amount >= 0),
  currency     char(3)        NOT NULL,
  stock        integer        NOT NULL CHECK (stock >= 0),
  is_active    boolean        NOT NULL DEFAULT true,
  created_at   timestamptz(3) NOT NULL DEFAULT now()
);

COMMENT ON COLUMN products.price_amount IS 'in minor units of the currency';
