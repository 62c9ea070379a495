"""The part of Shopify's Admin schema (2026-10) that the simulator speaks; names are official."""

from graphql import build_schema

SDL = """
directive @idempotent(key: String!) on FIELD

scalar DateTime
scalar Decimal
scalar URL
scalar UnsignedInt64

enum CountPrecision { AT_LEAST EXACT }
enum CurrencyCode {
  AED AUD BHD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR INR JPY KRW KWD MXN MYR NOK NZD PHP PLN
  SAR SEK SGD THB TRY TWD USD VND ZAR
}
enum OrderSortKeys { CREATED_AT ID PROCESSED_AT UPDATED_AT }
enum OrderDisplayFinancialStatus { PAID PENDING REFUNDED }
enum OrderDisplayFulfillmentStatus { FULFILLED UNFULFILLED }
enum ProductStatus { ACTIVE DRAFT }
enum BulkOperationStatus { COMPLETED CREATED RUNNING }
enum BulkOperationErrorCode { ACCESS_DENIED INTERNAL_SERVER_ERROR TIMEOUT }
enum BulkOperationUserErrorCode { INVALID LIMIT_REACHED OPERATION_IN_PROGRESS }
enum InventorySetQuantitiesUserErrorCode {
  CHANGE_FROM_QUANTITY_STALE
  IDEMPOTENCY_KEY_PARAMETER_MISMATCH
  INVALID_INVENTORY_ITEM
  INVALID_LOCATION
  INVALID_NAME
  INVALID_QUANTITY_NEGATIVE
  INVALID_QUANTITY_TOO_HIGH
  INVALID_REASON
  NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR
}

type QueryRoot {
  bulkOperation(id: ID!): BulkOperation
  inventoryItem(id: ID!): InventoryItem
  inventoryItems(after: String, first: Int, query: String): InventoryItemConnection!
  order(id: ID!): Order
  orders(
    after: String, first: Int, query: String, sortKey: OrderSortKeys = PROCESSED_AT
  ): OrderConnection!
  ordersCount(limit: Int = 10000, query: String): Count
  productVariantsCount(limit: Int = 10000, query: String): Count
  shop: Shop!
}

type Mutation {
  bulkOperationRunQuery(
    groupObjects: Boolean! = false, query: String!
  ): BulkOperationRunQueryPayload
  inventorySetQuantities(input: InventorySetQuantitiesInput!): InventorySetQuantitiesPayload
}

schema { query: QueryRoot mutation: Mutation }

type Shop { id: ID! }
type Count { count: Int! precision: CountPrecision! }
type PageInfo { endCursor: String hasNextPage: Boolean! }

type InventoryItemConnection { edges: [InventoryItemEdge!]! pageInfo: PageInfo! }
type InventoryItemEdge { cursor: String! node: InventoryItem! }
type InventoryItem {
  id: ID!
  inventoryLevels(after: String, first: Int): InventoryLevelConnection!
  sku: String
  tracked: Boolean!
  variants(after: String, first: Int): ProductVariantConnection
}
type InventoryLevelConnection { edges: [InventoryLevelEdge!]! pageInfo: PageInfo! }
type InventoryLevelEdge { cursor: String! node: InventoryLevel! }
type InventoryLevel {
  id: ID!
  location: Location!
  quantities(names: [String!]!): [InventoryQuantity!]!
  updatedAt: DateTime!
}
type InventoryQuantity { name: String! quantity: Int! }
type Location { id: ID! }
type ProductVariantConnection { edges: [ProductVariantEdge!]! pageInfo: PageInfo! }
type ProductVariantEdge { cursor: String! node: ProductVariant! }
type ProductVariant { id: ID! product: Product! sku: String }
type Product { id: ID! status: ProductStatus! }

type OrderConnection { edges: [OrderEdge!]! pageInfo: PageInfo! }
type OrderEdge { cursor: String! node: Order! }
type Order {
  cancelledAt: DateTime
  createdAt: DateTime!
  currentTotalPriceSet: MoneyBag!
  displayFinancialStatus: OrderDisplayFinancialStatus
  displayFulfillmentStatus: OrderDisplayFulfillmentStatus!
  id: ID!
  lineItems(after: String, first: Int): LineItemConnection!
  name: String!
  totalPriceSet: MoneyBag!
  updatedAt: DateTime!
}
type MoneyBag { shopMoney: MoneyV2! }
type MoneyV2 { amount: Decimal! currencyCode: CurrencyCode! }
type LineItemConnection { edges: [LineItemEdge!]! pageInfo: PageInfo! }
type LineItemEdge { cursor: String! node: LineItem! }
type LineItem { currentQuantity: Int! id: ID! quantity: Int! sku: String }

type BulkOperation {
  completedAt: DateTime
  createdAt: DateTime!
  errorCode: BulkOperationErrorCode
  id: ID!
  objectCount: UnsignedInt64!
  rootObjectCount: UnsignedInt64!
  status: BulkOperationStatus!
  url: URL
}
type BulkOperationRunQueryPayload {
  bulkOperation: BulkOperation
  userErrors: [BulkOperationUserError!]!
}
type BulkOperationUserError {
  code: BulkOperationUserErrorCode
  field: [String!]
  message: String!
}

input InventorySetQuantitiesInput {
  name: String!
  quantities: [InventoryQuantityInput!]!
  reason: String!
  referenceDocumentUri: String
}
input InventoryQuantityInput {
  changeFromQuantity: Int
  inventoryItemId: ID!
  locationId: ID!
  quantity: Int!
}
type InventorySetQuantitiesPayload { userErrors: [InventorySetQuantitiesUserError!]! }
type InventorySetQuantitiesUserError {
  code: InventorySetQuantitiesUserErrorCode
  field: [String!]
  message: String!
}
"""
SCHEMA = build_schema(SDL)
