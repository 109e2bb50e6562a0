-- What operators decide themselves: which customer is a subject's own.

-- One word per subject and per customer: those before are withdrawn. What was paid stays recorded below it.
create or replace function payments.set_mapping(
    p_environment text, p_account_id text, p_subject_type text, p_subject_id text, p_customer_id text
) returns void
language plpgsql as $$
begin
    perform payments.lock_customer(p_environment, p_customer_id);
    perform payments.withdraw_mappings(p_environment, p_account_id, p_subject_type, p_subject_id, p_customer_id);
    insert into payments.subject_customers (
        environment, account_id, subject_type, subject_id, customer_id, since, evidence_id, by_operator)
    values (p_environment, p_account_id, p_subject_type, p_subject_id, p_customer_id,
            9223372036854775807, 'operator', true)  -- later than anything that was paid
    on conflict (environment, subject_type, subject_id, customer_id) do update set by_operator = true;
    perform payments.settle_mapping_of_subject(p_environment, p_account_id, p_subject_type, p_subject_id);
    perform payments.settle_mappings_of_customers(p_environment, p_account_id, array[p_customer_id]);
    perform payments.follow_customer(p_environment, p_account_id, p_customer_id);
end $$;

-- Withdraw an operator's word; what was paid decides again. False when there is no such word.
create or replace function payments.unset_mapping(
    p_environment text, p_account_id text, p_subject_type text, p_subject_id text
) returns boolean
language plpgsql as $$
declare
    former text[];
begin
    former := payments.withdraw_mappings(p_environment, p_account_id, p_subject_type, p_subject_id, null);
    perform payments.settle_mapping_of_subject(p_environment, p_account_id, p_subject_type, p_subject_id);
    perform payments.settle_mappings_of_customers(p_environment, p_account_id, former);
    for i in 1 .. cardinality(former) loop
        perform payments.follow_customer(p_environment, p_account_id, former[i]);
    end loop;
    return cardinality(former) > 0;
end $$;

-- The customers of which an operator had spoken, for this subject or (when given) about this customer.
create or replace function payments.withdraw_mappings(
    p_environment text, p_account_id text, p_subject_type text, p_subject_id text, p_customer_id text
) returns text[]
language plpgsql as $$
declare
    former text[];
begin
    with spoken as (
        update payments.subject_customers k set by_operator = false
        where k.environment = p_environment and k.account_id in ('', p_account_id) and k.by_operator
          and (k.subject_type = p_subject_type and k.subject_id = p_subject_id or k.customer_id = p_customer_id)
        returning k.customer_id
    )
    select coalesce(array_agg(distinct customer_id order by customer_id), '{}') into former from spoken;
    delete from payments.subject_customers k
    where k.environment = p_environment and k.customer_id = any (former) and not k.by_operator
      and k.evidence_id = 'operator';
    return former;
end $$;
